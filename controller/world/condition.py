"""How each PoP is, in one word: the question every decision starts from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import HostName, PopName
from ambicast.model.prefixes import family
from controller.world.belief import World
from controller.world.liveness import STALE_AFTER, votes

# An agent is back within two seconds; a PoP that dies within this time of a good-bye waits for it.
RESTART_GRACE = 10.0


class Condition(StrEnum):
    """The condition of one PoP.

    ``UNKNOWN``: nothing heard yet, or neither seen nor heard lately (too few watchers, or no
    broker): what it once reported says nothing about now. ``SILENT``: a quorum says gone.
    ``UNFIT``: alive, but its own checks fail. ``WITHDRAWN``: fit, but its own prefixes are on no
    wire. ``SERVING``: the rest.
    """

    UNKNOWN = "unknown"
    SILENT = "silent"
    UNFIT = "unfit"
    WITHDRAWN = "withdrawn"
    SERVING = "serving"


class Assessment(msgspec.Struct, frozen=True):
    """The condition, and the evidence in one sentence."""

    condition: Condition
    because: str


def assess(world: World, fleet: Fleet, now: float) -> Mapping[PopName, Assessment]:
    """The condition of every PoP of the fleet at ``now``."""
    ballots = votes(world, fleet, now)
    found: dict[PopName, Assessment] = {}
    for name in fleet.pops:
        ballot = ballots[name]
        if ballot.silent(fleet.timing.quorum) and not _restarting(world, fleet, name, now):
            because = f"not seen by {', '.join(sorted(ballot.gone))}"
            if ballot.there:
                because += f"; seen by {', '.join(sorted(ballot.there))}"
            found[name] = Assessment(Condition.SILENT, because)
        elif ballot.there or _spoke_lately(world, fleet, name, now):
            found[name] = _told(world, fleet, name)
        else:
            found[name] = Assessment(Condition.UNKNOWN, "neither seen nor heard lately")
    return found


def _spoke_lately(world: World, fleet: Fleet, pop: PopName, now: float) -> bool:
    heard = [world.hosts[host] for host in fleet.pops[pop].hosts if host in world.hosts]
    return any(now - max(each.sighted_at, each.reported_at) <= STALE_AFTER for each in heard)


def _restarting(world: World, fleet: Fleet, pop: PopName, now: float) -> bool:
    """Whether its agents said good-bye a moment ago: routes stay, only the voice is gone."""
    beliefs = [world.hosts.get(host) for host in fleet.bgp_hosts(pop)]
    return all(
        each is not None
        and each.presence is not None
        and each.presence.leaving
        and now - each.presence_at < RESTART_GRACE
        for each in beliefs
    )


def _told(world: World, fleet: Fleet, pop: PopName) -> Assessment:
    fit, unfit, bare = 0, [], 0
    for host in fleet.bgp_hosts(pop):
        belief = world.hosts.get(host)
        if belief is None or belief.report is None or not belief.report.services:
            continue
        failing = [each for each in belief.report.services if not each.fit]
        if failing:
            unfit += [f"{host}: {each.service} {each.detail}".strip() for each in failing]
        elif own_prefixes_on_wire(world, fleet, pop, host):
            fit += 1
        else:
            bare += 1
    if fit >= fleet.pops[pop].min_hosts:
        return Assessment(Condition.SERVING, f"{fit} of its hosts fit and advertised")
    if unfit:
        return Assessment(Condition.UNFIT, "; ".join(unfit))
    if bare:
        return Assessment(Condition.WITHDRAWN, "fit, but its own prefixes are on no wire")
    return Assessment(Condition.UNKNOWN, "no report yet")


def own_prefixes_on_wire(world: World, fleet: Fleet, pop: PopName, host: HostName) -> bool:
    """Whether each own prefix of ``pop`` has been sent by ``host`` through at least one uplink."""
    belief = world.hosts.get(host)
    if belief is None or belief.report is None:
        return False
    sent = {each.prefix for each in belief.report.wire}
    spoken = {kind for link in fleet.pops[pop].uplinks.values() for kind in link.families}
    return all(prefix in sent for prefix in fleet.pops[pop].prefixes if family(prefix) in spoken)
