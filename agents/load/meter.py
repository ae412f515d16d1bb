"""Looks several times a second how loaded this host is, and tells the loop what matters.

Checks that fail on a host at its limit say that it is at its limit, not that it is broken. What
follows from that is decided elsewhere; here it is only measured.

A service is judged in a fraction of a second, so the load of that very time has to be known by
then: the CPUs are looked at every ``EVERY`` seconds, and when a burst begins or ends it is told at
once. The rest is told once a second, as means: of the CPUs over ``MEAN`` seconds, and of the
uplinks over ``TRAFFIC``, because many network cards bring their counters up to date only once a
second, and what they carried in that second would seem to have come in a moment.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from agents.advertising.observations import LoadSeen
from agents.advertising.overload import HIGH
from agents.load.cpu import CpuMeter
from agents.load.traffic import COUNTERS, Counted, counters, shares
from ambicast.model.pops import Pop

EVERY = 0.2
TOLD_EVERY = 1.0
MEAN = 1.0
TRAFFIC = 2.0
# Looks jitter; so much less than the full time is as good.
_SLACK = 0.05


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
        self._looked: float | None = None
        self._bursts: deque[tuple[float, float, float]] = deque()
        self._counted: deque[tuple[float, Mapping[str, Counted]]] = deque()
        self._told: LoadSeen | None = None
        self._told_at = 0.0

    async def run(self) -> None:
        """Look and tell until cancelled."""
        clock = asyncio.get_running_loop().time
        self.look(clock())
        self._told_at = clock()
        while True:
            await asyncio.sleep(EVERY)
            now = clock()
            seen = self.look(now)
            if now - self._told_at >= TOLD_EVERY - _SLACK or _limits(seen) != _limits(self._told):
                self._told, self._told_at = seen, now
                self._tell(seen)

    def look(self, now: float) -> LoadSeen:
        """One look; means are of those up to now, the burst is since the look before."""
        burst = self._cpu.look()
        before, self._looked = self._looked, now
        if before is not None:
            self._bursts.append((now, now - before, burst))
        while self._bursts and now - self._bursts[0][0] >= MEAN - _SLACK:
            self._bursts.popleft()
        return LoadSeen(cpu=_mean(self._bursts), uplinks=self._carried(now), burst=burst)

    def _carried(self, now: float) -> Mapping[str, float]:
        """Uplink -> share of its capacity in the last seconds."""
        try:
            found = counters(self._traffic.read_text())
        except OSError:
            found = {}
        self._counted.append((now, found))
        while len(self._counted) > 2 and now - self._counted[1][0] >= TRAFFIC - _SLACK:
            self._counted.popleft()
        began, before = self._counted[0]
        if now - began < TOLD_EVERY - _SLACK:
            return {}
        uplinks = {str(name): uplink for name, uplink in self._pop.uplinks.items()}
        return shares(uplinks, before, found, now - began)


def _mean(bursts: deque[tuple[float, float, float]]) -> float:
    """Of shares, each weighed by the seconds it is of."""
    seconds = sum(length for _, length, _ in bursts)
    if seconds <= 0:
        return 0.0
    return sum(length * share for _, length, share in bursts) / seconds


def _limits(seen: LoadSeen | None) -> tuple[bool, bool]:
    """What is at its limit, for a moment and for a while: a change of that is told at once."""
    if seen is None:
        return False, False
    return seen.burst >= HIGH, max(seen.cpu, *seen.uplinks.values(), 0.0) >= HIGH
