"""Orders as a pure function of all postures: the whole desired set of every host."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from zlib import crc32

import msgspec

from ambicast.contract.messages import Order
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import family
from ambicast.model.routes import GRACEFUL_SHUTDOWN, Advertisement, Attributes
from controller.choreography.contingencies import Plans
from controller.choreography.fitting import fitting
from controller.choreography.kept import Kept, still_meant
from controller.choreography.ladder import rungs
from controller.choreography.layout import Layout, Link, layout
from controller.choreography.posture import Home, Posture
from controller.planning.remembering import Last

_LEAVING = Attributes(communities=(GRACEFUL_SHUTDOWN,))


class Wanted(msgspec.Struct, frozen=True):
    """Everything that orders depend on, besides the fleet.

    Attributes:
        postures: one per PoP.
        anycast: depth of the more-specifics that all members advertise for anycast prefixes; all
            do or none does, because a more-specific wins everywhere, whoever sends it.
        keepers: shared prefix -> PoP that may not drop it.
        plans: what each PoP adds when another is lost while no controller is there.
        kept: what hosts added by themselves.
    """

    postures: Mapping[PopName, Posture]
    anycast: Mapping[Family, int]
    keepers: Mapping[str, PopName]
    plans: Plans
    kept: Mapping[HostName, tuple[Kept, ...]]


class Desired(msgspec.Struct, frozen=True):
    """One host's order; ``slim`` and ``digest`` are what is remembered of it (``SentOrder``)."""

    pop: PopName
    order: Order
    slim: Order
    digest: int


@Last
def orders(fleet: Fleet, wanted: Wanted) -> Mapping[HostName, Desired]:
    """What every BGP host of the fleet shall advertise, terminate and observe."""
    facts = layout(fleet)
    helping = helpers(wanted.postures)
    advertised = {pop: prefixes_at(fleet, wanted, helping, pop) for pop in fleet.pops}
    everything = {prefix for prefixes in advertised.values() for prefix in prefixes}
    steered = sorted(everything.difference(facts.shared))
    addressed = crc32(" ".join(facts.addresses).encode())
    found: dict[HostName, Desired] = {}
    for name in fleet.pops:
        posture, mine = wanted.postures[name], advertised[name]
        attributes = _LEAVING if posture.home is Home.LEAVING else Attributes()
        here = posture.home in {Home.HERE, Home.LEAVING}
        spare = spared(facts, helping.get(name, ()), mine) if here else frozenset()
        plain = _through_uplinks(facts.links[name], mine | spare, attributes)
        observe = _without(steered, mine)
        dark = posture.home is Home.DARK
        for host in fleet.bgp_hosts(name):
            added = still_meant(fleet, name, wanted.kept.get(host, ()), wanted.postures)
            sent, room = fitting(facts, name, _joined(plain, added), spare)
            when_lost, armed = wanted.plans.at(fleet, name, room)
            slim = Order(
                advertisements=sent,
                terminate=(),
                keepers=wanted.keepers,
                lease=fleet.timing.lease,
            )
            order = msgspec.structs.replace(
                slim,
                terminate=() if dark else facts.addresses,
                observe=observe,
                when_lost=when_lost,
            )
            long = crc32(" ".join(observe).encode(), armed ^ (0 if dark else addressed))
            found[host] = Desired(name, order, slim, long)
    return found


def helpers(
    postures: Mapping[PopName, Posture],
) -> Mapping[PopName, tuple[tuple[PopName, Posture], ...]]:
    """PoP -> the PoPs it helps, with their postures."""
    found: dict[PopName, list[tuple[PopName, Posture]]] = {}
    for name, posture in postures.items():
        for helper in posture.helpers:
            if helper != name:
                found.setdefault(helper, []).append((name, posture))
    return {pop: tuple(each) for pop, each in found.items()}


def prefixes_at(
    fleet: Fleet,
    wanted: Wanted,
    helping: Mapping[PopName, tuple[tuple[PopName, Posture], ...]],
    pop: PopName,
) -> frozenset[str]:
    """Every prefix ``pop`` shall advertise."""
    facts, mine = layout(fleet), wanted.postures[pop]
    if mine.home in {Home.AWAY, Home.DARK}:
        return frozenset()
    found: set[str] = set(facts.covers[pop])
    for kind in Family:
        for prefix in facts.anycast[kind]:
            found |= {prefix, *rungs(prefix, wanted.anycast.get(kind, 0))}
        for prefix in facts.own[pop][kind]:
            found |= {prefix, *rungs(prefix, mine.split_in(kind))}
        found |= _helped(facts, kind, helping.get(pop, ()))
    return frozenset(found)


def _helped(
    facts: Layout, kind: Family, helped: Iterable[tuple[PopName, Posture]]
) -> frozenset[str]:
    return frozenset(
        each
        for other, posture in helped
        if posture.concerns(kind)
        for prefix in facts.own[other][kind]
        for each in (prefix, *rungs(prefix, posture.depth_in(kind)))
    )


def spared(
    facts: Layout, helped: Iterable[tuple[PopName, Posture]], mine: frozenset[str]
) -> frozenset[str]:
    """What a helper advertises in addition, as far as there is room: what stood before."""
    return frozenset(
        each
        for other, posture in helped
        for kind in posture.beside
        if posture.concerns(kind)
        for prefix in facts.own[other][kind]
        for depth in posture.helped_in(kind)
        for each in rungs(prefix, depth)
    ).difference(mine)


def _through_uplinks(
    links: tuple[Link, ...], prefixes: frozenset[str], attributes: Attributes
) -> tuple[Advertisement, ...]:
    ranked = [(prefix, family(prefix)) for prefix in sorted(prefixes)]
    return tuple(
        Advertisement(prefix, link.name, attributes)
        for link in links
        for prefix, kind in ranked
        if kind in link.families
    )


def _joined(
    plain: tuple[Advertisement, ...], added: tuple[Advertisement, ...]
) -> tuple[Advertisement, ...]:
    if not added:
        return plain
    known = {(each.prefix, each.uplink) for each in plain}
    more = {(e.prefix, e.uplink): e for e in added if (e.prefix, e.uplink) not in known}
    return tuple(sorted((*plain, *more.values()), key=lambda each: (each.uplink, each.prefix)))


def _without(ranked: list[str], mine: frozenset[str]) -> tuple[str, ...]:
    """``ranked`` less what is in ``mine``: copied in slices, because it is long."""
    found: list[str] = []
    start = 0
    for prefix in sorted(mine):
        at = bisect_left(ranked, prefix, start)
        found += ranked[start:at]
        start = at + 1 if at < len(ranked) and ranked[at] == prefix else at
    return (*found, *ranked[start:])
