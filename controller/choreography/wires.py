"""What wires say of who helps whom, as far as a controller without memory believes it.

A wire is what one host says of itself. That a PoP is away whose clients it serves, and which
others see, is believed under the rules of :mod:`claims`, as by a controller with its journal: one
host that errs or lies must not move the fleet. So of what others advertise for such a PoP

- what a host reports as its own deed is left to those rules, at every look; it stays where it is;
- what it does not was ordered once. Where as many PoPs as it takes to find one gone do it, and no
  more PoPs are concerned than may be lost at once, it is a takeover whose end had not come. Else
  it is the rest of one: the PoP keeps its clients, advertises the same, and then helpers leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ambicast.contract.messages import DeedKind, Report
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import family, length
from ambicast.model.routes import Advertisement
from controller.choreography.claims import serves
from controller.choreography.layout import layout
from controller.planning.guards import most_at_once
from controller.world.belief import World
from controller.world.condition import assess
from controller.world.liveness import ballots, hosts_gone

# RFC 1997: for the PoP's own router alone; what carries it was added for a host beside.
NO_EXPORT = "65535:65281"

Wires = Mapping[PopName, tuple[Advertisement, ...]]
Helping = Mapping[Family, Mapping[PopName, int]]
"""Family -> helper -> how deep."""


class Found(msgspec.Struct, frozen=True):
    """What stands on the wires.

    Attributes:
        wires: PoP -> what its hosts advertise to the world.
        away: PoP -> who carries its prefixes, where that is believed.
        ending: those of them that serve, and whose helpers need only leave.
        doubtful: the others that serve; they count against the quota of losses.
        unheeded: host -> prefixes that it added by itself for PoPs that serve.
    """

    wires: Wires
    away: Mapping[PopName, Helping]
    ending: frozenset[PopName] = frozenset()
    doubtful: frozenset[PopName] = frozenset()
    unheeded: Mapping[HostName, frozenset[str]] = {}


def found_on_wires(world: World, fleet: Fleet, now: float) -> Found:
    """What a controller that remembers nothing finds."""
    lost = hosts_gone(world, fleet, now)
    wires = {pop: _wire_of(world, fleet, pop, lost) for pop in fleet.pops}
    helping = _helping(fleet, wires)
    doubtful = _doubtful(world, fleet, helping, now)
    if not doubtful:
        return Found(wires, helping)
    unheeded = {host: _alone(world, fleet, host, doubtful) for _, host in fleet.hosts()}
    ordered = {
        pop: tuple(each for each in wire if each.prefix not in _of(fleet, pop, unheeded))
        for pop, wire in wires.items()
    }
    left = _helping(fleet, ordered)
    many = [name for name in sorted(doubtful) if _many(left.get(name, {}), fleet)]
    borne_out = frozenset(many[: most_at_once(fleet)])
    return Found(wires, left, doubtful.intersection(left) - borne_out, borne_out, unheeded)


def reports(world: World, hosts: Iterable[HostName]) -> tuple[Report, ...]:
    """What these hosts reported, of those that did."""
    found = (world.hosts[host].report for host in hosts if host in world.hosts)
    return tuple(each for each in found if each is not None)


def _wire_of(
    world: World, fleet: Fleet, pop: PopName, lost: frozenset[HostName]
) -> tuple[Advertisement, ...]:
    """What the hosts of ``pop`` advertise to the world, and not to their own router alone.

    The last word of a ``lost`` host counts only where no other is left: a dead PoP's stale routes
    must be beaten.
    """
    hosts = [host for host in fleet.bgp_hosts(pop) if host not in lost] or fleet.bgp_hosts(pop)
    return tuple(
        each
        for report in reports(world, hosts)
        for each in report.wire
        if NO_EXPORT not in each.attributes.communities
    )


def _helping(fleet: Fleet, wires: Wires) -> Mapping[PopName, Helping]:
    """PoP -> family -> others that advertise its prefixes -> how deep."""
    facts = layout(fleet)
    found: dict[PopName, dict[Family, dict[PopName, int]]] = {}
    for pop, wire in wires.items():
        for prefix in {each.prefix for each in wire}.difference(facts.shared):
            at = facts.home_of(prefix)
            if at is not None and at[0] != pop:
                others = found.setdefault(at[0], {}).setdefault(family(prefix), {})
                others[pop] = max(length(prefix) - length(at[1]), others.get(pop, 0))
    return found


def _doubtful(
    world: World, fleet: Fleet, helping: Mapping[PopName, Helping], now: float
) -> frozenset[PopName]:
    """The PoPs that others carry although they serve, before the eyes of others."""
    conditions = assess(world, fleet, now) if helping else {}
    polled = ballots(world, fleet, now) if helping else {}
    quorum = fleet.timing.quorum
    return frozenset(
        name
        for name, kinds in helping.items()
        if serves(conditions[name], name, kinds, polled, quorum)
    )


def _alone(
    world: World, fleet: Fleet, host: HostName, doubtful: frozenset[PopName]
) -> frozenset[str]:
    """What ``host`` says it added by itself because one of ``doubtful`` was lost."""
    homes = layout(fleet).home_of
    return frozenset(
        prefix
        for report in reports(world, [host])
        for deed in report.deeds
        if deed.kind is DeedKind.COVER and deed.about in doubtful
        for prefix in deed.prefixes
        if (at := homes(prefix)) is not None and at[0] == deed.about
    )


def _of(fleet: Fleet, pop: PopName, unheeded: Mapping[HostName, frozenset[str]]) -> frozenset[str]:
    return frozenset(each for host in fleet.bgp_hosts(pop) for each in unheeded[host])


def _many(helping: Helping, fleet: Fleet) -> bool:
    return len({pop for each in helping.values() for pop in each}) >= fleet.timing.quorum
