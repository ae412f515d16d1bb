"""UDP requests: `<number>` to the echo, `<pop> <number>` back.

Sockets are not connected: an ICMP error about one datagram must not swallow another's answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Final

from lab.load.names import Names
from lab.load.pending import Pending
from lab.load.plan import Probe
from lab.load.records import Record, Recorder
from lab.scenarios.targets import AddressTarget

UDP_PORT: Final = 9000


class UdpProbe:
    """Probe number `number` of a plan."""

    def __init__(self, number: int, probe: Probe, recorder: Recorder, names: Names) -> None:
        self._number = number
        self._target = probe.target
        self._recorder = recorder
        self._names = names
        self._pending = Pending(number, recorder)
        self._sequence = 0
        self._sockets: dict[str, socket.socket] = {}

    def open(self) -> None:
        """Make a socket per family and listen."""
        loop = asyncio.get_running_loop()
        for family, kind in (("v4", socket.AF_INET), ("v6", socket.AF_INET6)):
            sock = socket.socket(kind, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._sockets[family] = sock
            loop.add_reader(sock, self._readable, sock)

    def close(self) -> None:
        """Stop listening."""
        for sock in self._sockets.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    def fire(self, tasks: asyncio.TaskGroup) -> None:
        """Send one request now."""
        sent_ns = time.time_ns()
        if isinstance(self._target, AddressTarget):
            self._send(self._target.address, sent_ns)
        else:
            tasks.create_task(self._resolve_and_send(sent_ns), name="udp to a name")

    def expire(self, now_ns: int) -> None:
        """Give up what waited too long."""
        self._pending.expire(now_ns)

    async def _resolve_and_send(self, sent_ns: int) -> None:
        assert not isinstance(self._target, AddressTarget)
        found = await self._names.addresses(self._target.name, self._target.families)
        if found:
            self._send(found[0], sent_ns)
        else:
            self._recorder.take(Record(self._number, sent_ns, 0, "", 0))

    def _send(self, address: str, sent_ns: int) -> None:
        self._sequence += 1
        self._pending.sent(self._sequence, sent_ns, address)
        sock = self._sockets["v6" if ":" in address else "v4"]
        with contextlib.suppress(OSError):  # no route: as good as lost
            sock.sendto(b"%d" % self._sequence, (address, UDP_PORT))

    def _readable(self, sock: socket.socket) -> None:
        while True:
            try:
                data, source = sock.recvfrom(2048)
            except OSError:
                return
            who, _, number = data.partition(b" ")
            if number.isdigit():
                now = time.time_ns()
                self._pending.answered(int(number), now, who.decode("ascii", "replace"), source[0])
