"""Who is gone: the votes of watchers, and what the watched say of themselves.

The rule for counting is shared with agents (:mod:`ambicast.model.quorum`): a watcher that sees
nobody of a family has no voice in it. Here one adds which watchers may speak at all: one that has
not spoken lately, or whose own loop stood still, may not. A last will on the bus is a hint and
counts for nothing: a PoP cut from the broker but serving clients must not be touched (failover.md,
"Who decides that a PoP is gone").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ambicast.contract.messages import Said, Sightings
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.quorum import Subject, Votes, count, opinion
from controller.world.belief import World

__all__ = ["STALE_AFTER", "Votes", "ballots", "hosts_gone", "votes", "words"]

# Watchers repeat themselves every second; three misses and their word is old.
STALE_AFTER = 3.5


class _HostSeen(msgspec.Struct, frozen=True):
    """A path to one host, counted as if each host were a PoP of its own."""

    pop: str
    family: Family
    up: bool


def ballots(world: World, fleet: Fleet, now: float) -> Mapping[Subject, Votes]:
    """The votes on every PoP of the fleet in every family that anybody has an opinion on."""
    found = count((pop, opinion(told.seen, pop)) for pop, told in _speakers(world, now))
    return {subject: each for subject, each in found.items() if subject[0] in fleet.pops}


def votes(world: World, fleet: Fleet, now: float) -> Mapping[PopName, Votes]:
    """The votes on every PoP as a whole: seen in one family is seen."""
    found = ballots(world, fleet, now)
    return {
        name: whole(found.get((name, kind), Votes()) for kind in Family) for name in fleet.pops
    }


def whole(families: Iterable[Votes]) -> Votes:
    """The votes of several families as one."""
    gone: frozenset[PopName] = frozenset()
    there: frozenset[PopName] = frozenset()
    for each in families:
        gone, there = gone | each.gone, there | each.there
    return Votes(gone - there, there)


def hosts_gone(world: World, fleet: Fleet, now: float) -> frozenset[HostName]:
    """Hosts of PoPs with several that a quorum of other PoPs sees in no family any more."""
    crowded = {
        host
        for pop in fleet.pops
        for host in fleet.bgp_hosts(pop)
        if len(fleet.bgp_hosts(pop)) > 1
    }
    if not crowded:
        return frozenset()
    found = count(
        (
            pop,
            opinion(
                (
                    _HostSeen(each.host, each.family, each.up)
                    for each in told.seen
                    if each.host and each.pop != pop
                ),
                PopName(""),
            ),
        )
        for pop, told in _speakers(world, now)
    )
    quorum = fleet.timing.quorum
    silent = {host for (host, _), each in found.items() if each.silent(quorum)}
    seen = {host for (host, _), each in found.items() if each.there and not each.silent(quorum)}
    return frozenset(HostName(host) for host in silent - seen) & crowded


def words(world: World, now: float) -> Mapping[HostName, tuple[Said, ...]]:
    """What hosts say of themselves to watchers that see them now; one word per watcher."""
    found: dict[HostName, list[Said]] = {}
    for _, told in _speakers(world, now):
        if told.said:
            up = {(each.pop, each.host) for each in told.seen if each.up}
            for said in told.said:
                if (said.pop, said.host) in up or (said.pop, "") in up:
                    found.setdefault(HostName(said.host), []).append(said)
    return {host: tuple(each) for host, each in found.items()}


def _speakers(world: World, now: float) -> Iterator[tuple[PopName, Sightings]]:
    for host, belief in world.hosts.items():
        told = belief.sightings
        if told is not None and not told.paused and now - belief.sighted_at <= STALE_AFTER:
            yield world.pops[host], told
