"""UDP sockets: the responder's at the port everybody asks, the watcher's at any that is free.

Both are bound to the wildcard. So the responder hears probes at identity and witness addresses
alike, and those that this host does not terminate the kernel never delivers. ``IP_PKTINFO``
(ip(7)) and ``IPV6_RECVPKTINFO`` (RFC 3542 section 6) say which address was asked, and choose the
source of what is sent: an answer comes from the address asked, and a probe from the identity
address of the uplink it shall leave by, which is what the policy routing rules look at.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, NamedTuple

from agents.watch.datagrams import LARGEST, PORT
from ambicast.model.identifiers import Family

_IP_PKTINFO = 8  # linux/in.h; the socket module of Python 3.11 does not name it
_ROOM = socket.CMSG_SPACE(20)  # the larger of the two structures below

# struct in_pktinfo {interface, local address, address in the header}; in6_pktinfo {address,
# interface}. Interface 0 leaves the choice to the routing rules.
_INFO4 = struct.Struct("@I4s4s")
_INFO6 = struct.Struct("@16sI")

_CUT = int(socket.MSG_CTRUNC)  # as a plain number: an enum's `&` costs more than the system call

Peer = tuple[Any, ...]
Source = list[tuple[int, int, bytes]]


class Datagram(NamedTuple):
    """What arrived, from whom, and the source an answer must have (none: nobody answers it)."""

    payload: bytes
    peer: Peer
    asked: Source


class Wire:
    """The watcher's socket of one family.

    Sending never blocks and never raises: UDP may lose anyway.

    Raises:
        OSError: where the kernel lacks the family, or has no socket to spare.
    """

    def __init__(self, family: Family, port: int = 0) -> None:
        kind = socket.AF_INET if family is Family.V4 else socket.AF_INET6
        self._socket = socket.socket(kind, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._set_up(family)
            self._socket.bind(("0.0.0.0" if family is Family.V4 else "::", port))  # noqa: S104
        except OSError:
            self._socket.close()
            raise

    def _set_up(self, family: Family) -> None:
        if family is Family.V6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, payload: bytes, peer: Peer, source: Source) -> bool:
        """Whether the kernel took it; it does not where the source is no local address."""
        try:
            self._socket.sendmsg((payload,), source, 0, peer)
        except OSError:
            return False
        return True

    def receive(self) -> Datagram | None:
        """The next datagram, or none left. Errors of earlier sends are skipped."""
        while True:
            try:
                payload, peer = self._socket.recvfrom(LARGEST + 1)
            except (BlockingIOError, InterruptedError):
                return None
            except OSError:
                continue
            return Datagram(payload, peer, [])

    def close(self) -> None:
        self._socket.close()


class AskedWire(Wire):
    """The responder's socket of one family: it is told at which address it was asked.

    ``SO_REUSEPORT`` (socket(7)) lets a successor have its own before the predecessor is gone;
    while there are two, each is given a part of the probes.
    """

    def __init__(self, family: Family, port: int = PORT) -> None:
        super().__init__(family, port)

    def _set_up(self, family: Family) -> None:
        super()._set_up(family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family is Family.V4:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def receive(self) -> Datagram | None:
        """The next datagram, or none left."""
        while True:
            try:
                payload, info, flags, peer = self._socket.recvmsg(LARGEST + 1, _ROOM)
            except (BlockingIOError, InterruptedError):
                return None
            except OSError:
                continue
            if info and not flags & _CUT:
                return Datagram(payload, peer, [_answering(info[0])])


def from_address(text: str) -> Source:
    """The source that makes a datagram leave from this local address."""
    if ":" in text:
        packed = socket.inet_pton(socket.AF_INET6, text)
        return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _INFO6.pack(packed, 0))]
    packed = socket.inet_pton(socket.AF_INET, text)
    return [(socket.IPPROTO_IP, _IP_PKTINFO, _INFO4.pack(0, packed, bytes(4)))]


def _answering(info: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
    """The packet info of an answer: the local address that was asked, any interface."""
    level, kind, content = info
    if level == socket.IPPROTO_IP:
        return level, kind, _INFO4.pack(0, content[4:8], bytes(4))
    return level, kind, _INFO6.pack(content[:16], 0)
