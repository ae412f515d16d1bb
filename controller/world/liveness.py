"""Who is gone: a quorum of watchers that can still see others.

A watcher that sees nobody cannot tell its own isolation from everybody's death and excludes
itself; so does one that has not spoken lately or whose own loop stood still. What remains votes,
one vote per PoP. A last will on the bus is a hint and counts for nothing here: a PoP cut from the
broker but serving clients must not be touched (failover.md, "Who decides that a PoP is gone").
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.world.belief import HostBelief, World

# Watchers repeat themselves every second; three misses and their word is old.
STALE_AFTER = 3.5


class Votes(msgspec.Struct, frozen=True):
    """Which PoPs say that one PoP is gone, and which that it is there."""

    gone: frozenset[PopName]
    there: frozenset[PopName]

    def silent(self, quorum: int) -> bool:
        """Gone, if enough say so and they outnumber those who still see it."""
        return len(self.gone) >= max(quorum, len(self.there) + 1)

    def seen(self, quorum: int) -> bool:
        """There, under the same rule the other way round."""
        return len(self.there) >= max(min(quorum, len(self.there)), len(self.gone) + 1)


def votes(world: World, fleet: Fleet, now: float) -> Mapping[PopName, Votes]:
    """The votes on every PoP."""
    gone: dict[PopName, set[PopName]] = {name: set() for name in fleet.pops}
    there: dict[PopName, set[PopName]] = {name: set() for name in fleet.pops}
    for host, belief in world.hosts.items():
        watcher = world.pops[host]
        for pop, up in _opinion(belief, now).items():
            if pop in gone and pop != watcher:
                (there if up else gone)[pop].add(watcher)
    return {
        # Where two hosts of one PoP disagree, having seen it wins.
        name: Votes(frozenset(gone[name] - there[name]), frozenset(there[name]))
        for name in fleet.pops
    }


def _opinion(belief: HostBelief, now: float) -> dict[PopName, bool]:
    told = belief.sightings
    if told is None or told.paused or now - belief.sighted_at > STALE_AFTER:
        return {}
    seen: dict[PopName, bool] = {}
    for sighting in told.seen:
        pop = PopName(sighting.pop)
        seen[pop] = seen.get(pop, False) or sighting.up
    return seen if any(seen.values()) else {}
