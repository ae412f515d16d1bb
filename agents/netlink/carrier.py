"""Whether an interface has carrier, asked of the driver.

A netlink event of lost carrier may come up to a second late: the kernel holds back all but the
first of a second (net/core/link_watch.c). What the driver knows is true at once, so it is asked
every 30 ms, by the ioctl behind ``ethtool eth1`` (``ETHTOOL_GLINK``): it costs microseconds and
looks into the network namespace of its socket, where ``/sys/class/net`` shows the namespace in
which it was mounted.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from typing import Self

_SIOCETHTOOL = 0x8946  # linux/sockios.h
_ETHTOOL_GLINK = 0x0000000A  # linux/ethtool.h
_IFREQ = struct.Struct("16sP16x")


class CarrierLine:
    """An open line to the kernel; use it as a context manager."""

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def has_carrier(self, interface: str) -> bool:
        """False also where there is no such interface, it is down, or its driver cannot say."""
        question = array.array("I", (_ETHTOOL_GLINK, 0))
        request = _IFREQ.pack(interface.encode(), question.buffer_info()[0])
        try:
            fcntl.ioctl(self._socket, _SIOCETHTOOL, request)
        except OSError:
            return False
        return bool(question[1])
