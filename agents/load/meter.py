"""Looks every second how loaded this host is, and tells the loop.

Checks that fail on a host at its limit say that it is at its limit, not that it is broken. What
follows from that is decided elsewhere; here it is only measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from agents.advertising.observations import LoadSeen
from agents.load.cpu import CpuMeter
from agents.load.traffic import COUNTERS, Counted, counters, shares
from ambicast.model.pops import Pop

EVERY = 1.0


class Meter:
    """The load of one host."""

    def __init__(
        self,
        pop: Pop,
        cpu: Path,
        tell: Callable[[LoadSeen], None],
        traffic: Path = COUNTERS,
    ) -> None:
        """``cpu`` and ``traffic`` are files like ``/proc/stat`` and ``/proc/net/dev``."""
        self._pop, self._tell, self._traffic = pop, tell, traffic
        self._cpu = CpuMeter(cpu)
        self._before: tuple[float, Mapping[str, Counted]] | None = None

    async def run(self) -> None:
        """Look and tell until cancelled."""
        clock = asyncio.get_running_loop().time
        self.look(clock())
        while True:
            await asyncio.sleep(EVERY)
            self._tell(self.look(clock()))

    def look(self, now: float) -> LoadSeen:
        """One look; shares are those since the look before."""
        try:
            found = counters(self._traffic.read_text())
        except OSError:
            found = {}
        before, self._before = self._before, (now, found)
        uplinks = {str(name): uplink for name, uplink in self._pop.uplinks.items()}
        carried = shares(uplinks, before[1], found, now - before[0]) if before else {}
        return LoadSeen(cpu=self._cpu.look(), uplinks=carried)
