"""Orders as a pure function of all postures: the whole desired set of every host."""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.contract.messages import Order
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import HostName, PopName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import family
from ambicast.model.routes import GRACEFUL_SHUTDOWN, Advertisement, Attributes
from controller.choreography.ladder import rungs
from controller.choreography.posture import Home, Posture

_LEAVING = Attributes(communities=(GRACEFUL_SHUTDOWN,))


def orders(
    fleet: Fleet,
    postures: Mapping[PopName, Posture],
    anycast_depth: int,
    serving: frozenset[PopName],
    *,
    fail_open: bool = False,
) -> Mapping[HostName, Order]:
    """What every BGP host of the fleet shall advertise, terminate and observe.

    Args:
        fleet: the inventory.
        postures: one per PoP.
        anycast_depth: depth of more-specifics that all members advertise for anycast prefixes;
            all do or none does, because a more-specific wins everywhere, whoever sends it.
        serving: the PoPs that serve now. The only one left keeps its shared prefixes, whatever
            its checks come to say (I7).
        fail_open: nobody serves and checks fail: they are distrusted, and everybody keeps
            everything that it was ordered.
    """
    advertised = {pop: prefixes_at(fleet, postures, anycast_depth, pop) for pop in fleet.pops}
    everything = {prefix for prefixes in advertised.values() for prefix in prefixes}
    shared = frozenset(fleet.anycast_prefixes()) | frozenset(fleet.covering)
    addresses = fleet.service_addresses()
    found: dict[HostName, Order] = {}
    for name, pop in fleet.pops.items():
        attributes = _LEAVING if postures[name].home is Home.LEAVING else Attributes()
        mine = advertised[name]
        kept = mine if fail_open else shared & mine if serving == {name} else frozenset()
        order = Order(
            advertisements=_through_uplinks(pop, mine, attributes),
            terminate=() if postures[name].home is Home.DARK else addresses,
            observe=tuple(sorted(everything - mine - shared)),
            keepers=dict.fromkeys(sorted(kept), str(name)),
        )
        for host in fleet.bgp_hosts(name):
            found[host] = order
    return found


def prefixes_at(
    fleet: Fleet, postures: Mapping[PopName, Posture], anycast_depth: int, pop: PopName
) -> frozenset[str]:
    """Every prefix ``pop`` shall advertise."""
    mine = postures[pop]
    if mine.home in {Home.AWAY, Home.DARK}:
        return frozenset()
    found: set[str] = set(fleet.covers_at(pop))
    for prefix in fleet.anycast_prefixes():
        found |= {prefix, *rungs(prefix, anycast_depth)}
    for prefix in fleet.pops[pop].prefixes:
        found |= {prefix, *rungs(prefix, mine.split)}
    for other, posture in postures.items():
        if pop in posture.helpers and other != pop:
            for prefix in fleet.pops[other].prefixes:
                found |= {prefix, *rungs(prefix, posture.depth)}
    return frozenset(found)


def _through_uplinks(
    pop: Pop, prefixes: frozenset[str], attributes: Attributes
) -> tuple[Advertisement, ...]:
    return tuple(
        Advertisement(prefix, uplink.name, attributes)
        for uplink in sorted(pop.uplinks.values(), key=lambda each: each.name)
        for prefix in sorted(prefixes)
        if family(prefix) in uplink.families
    )
