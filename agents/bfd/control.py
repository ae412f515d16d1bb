"""The agent's hold on bfdd: have every neighbor watched, hear of every change, attach again.

bfdd is a process of its own (``ambicast-agent bfdd``): its sessions must live while the agent is
restarted, because neighbors with BFD close the BGP session when it goes down. It keeps its peers
when we detach. While it is away nothing is said of any neighbor, which is not "down".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from agents.advertising.observations import BfdSeen
from agents.bfd.frames import Frames, Kind, add, subscribe
from agents.bfd.peers import Sessions, peers_of, wanted
from ambicast.model.pops import Pop

RETRY = 1.0

log = structlog.get_logger()


class Bfd:
    """What BFD says of the neighbors; see :class:`BfdSeen`."""

    def __init__(
        self,
        socket: Path,
        pop: Pop,
        interval: float,
        multiplier: int,
        tell: Callable[[BfdSeen], None],
    ) -> None:
        """``interval`` in seconds; a neighbor is down after ``multiplier`` of them."""
        self._socket, self._tell = socket, tell
        self._peers = peers_of(pop)
        self._wanted = wanted(self._peers, interval, multiplier)
        self._told: BfdSeen | None = None
        self._was_there = True

    async def run(self) -> None:
        """Stays attached to bfdd, for ever."""
        while True:
            self._say(BfdSeen(up={}))
            try:
                reader, writer = await asyncio.open_unix_connection(self._socket)
            except OSError as fault:
                self._gone(str(fault))
                await asyncio.sleep(RETRY)
                continue
            try:
                await self._attend(reader, writer)
            except (OSError, ValueError, msgspec.DecodeError) as fault:
                self._gone(str(fault))
            finally:
                writer.close()
            await asyncio.sleep(RETRY)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One attachment, until it ends or something does not fit."""
        self._was_there = True
        sessions, frames = Sessions(self._peers), Frames()
        writer.write(subscribe(1) + add(2, self._wanted))
        while data := await reader.read(2**16):
            for frame in frames.feed(data):
                if frame.kind == Kind.NOTIFY:
                    sessions.hear(frame.body)
                elif frame.kind == Kind.RESPONSE and b'"ok"' not in frame.body:
                    log.error("bfdd refused", answer=frame.body.decode(errors="replace"))
            self._say(BfdSeen(up=sessions.up))
        raise ConnectionError("bfdd hung up")

    def _gone(self, reason: str) -> None:
        if self._was_there:
            log.warning("no bfd", reason=reason)
        self._was_there = False

    def _say(self, seen: BfdSeen) -> None:
        if seen == self._told:
            return
        log.info("bfd seen", up={name: dict(families) for name, families in seen.up.items()})
        self._told = seen
        self._tell(seen)
