"""DNS requests to the client network's resolver, one query each, never repeated."""

from __future__ import annotations

import asyncio
import time

from lab.load.names import NameUnknown, Resolver
from lab.load.plan import PATIENCE_NS, Probe
from lab.load.records import Record, Recorder
from lab.scenarios.targets import NameTarget


class LookupProbe:
    """Probe number `number` of a plan; an answer without an address is none."""

    def __init__(self, number: int, probe: Probe, recorder: Recorder, resolver: Resolver) -> None:
        assert isinstance(probe.target, NameTarget)
        self._number = number
        self._target = probe.target
        self._recorder = recorder
        self._resolver = resolver

    def open(self) -> None:
        """The resolver's socket is shared."""

    def close(self) -> None:
        """The resolver's socket is shared."""

    def expire(self, now_ns: int) -> None:
        """Every request keeps its own time."""

    def fire(self, tasks: asyncio.TaskGroup) -> None:
        """Send one request now."""
        tasks.create_task(self._request(time.time_ns()), name="dns")

    async def _request(self, sent_ns: int) -> None:
        who = ""
        try:
            async with asyncio.timeout(PATIENCE_NS / 1e9):
                answer = await self._resolver.ask(self._target.name, self._target.families[0])
            who = answer.addresses[0] if answer.rcode == 0 and answer.addresses else ""
        except (TimeoutError, NameUnknown):
            who = ""
        replied = time.time_ns() if who else 0
        self._recorder.take(Record(self._number, sent_ns, replied, who, 0))
