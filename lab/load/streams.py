"""One long TCP connection: a line per request, the answer carries its number back.

When it breaks, or nothing comes back for a second, a new one is opened; what was under way is
lost.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from lab.load.pending import Pending
from lab.load.plan import Probe
from lab.load.records import Recorder
from lab.scenarios.targets import AddressTarget

PORT: Final = 9001
AGAIN_S: Final = 0.1


class StreamProbe(asyncio.Protocol):
    """Probe number `number` of a plan."""

    def __init__(self, number: int, probe: Probe, recorder: Recorder) -> None:
        assert isinstance(probe.target, AddressTarget)
        self._address = probe.target.address
        self._pending = Pending(number, recorder)
        self._sequence = 0
        self._partial = b""
        self._transport: asyncio.Transport | None = None
        self._connecting = False
        self._due_ns = 0

    def open(self) -> None:
        """The first request connects."""

    def close(self) -> None:
        """Break the connection off."""
        if self._transport is not None:
            self._transport.abort()

    def fire(self, tasks: asyncio.TaskGroup) -> None:
        """Send one request now, or count it as lost while there is no connection."""
        now_ns = time.time_ns()
        self._sequence += 1
        self._pending.sent(self._sequence, now_ns)
        if self._transport is not None:
            self._transport.write(b"%d\n" % self._sequence)
        elif not self._connecting and now_ns >= self._due_ns:
            self._connecting = True
            tasks.create_task(self._connect(self._sequence), name="tcp-stream")

    def expire(self, now_ns: int) -> None:
        """Give up what waited too long; a connection that lets requests wait is dead."""
        if self._pending.expire(now_ns) and self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._partial = b""

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._due_ns = time.time_ns() + int(AGAIN_S * 1e9)

    def data_received(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            who, _, number = line.partition(b" ")
            if number.isdigit():
                self._pending.answered(int(number), time.time_ns(), who.decode("ascii", "replace"))

    async def _connect(self, first: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(1.0):
                await loop.create_connection(lambda: self, self._address, PORT)
        except OSError:
            self._due_ns = time.time_ns() + int(AGAIN_S * 1e9)
        finally:
            self._connecting = False
        if self._transport is not None:
            self._transport.write(b"%d\n" % first)
