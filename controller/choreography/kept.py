"""What hosts added to their orders by themselves, as it was adopted into the controller's orders.

A host that acts alone (a PoP lost while no controller was there, an uplink or a host beside it
fallen silent) latches what it added until an order advertises it. So it is put into orders as it
stands, prefix by prefix and uplink by uplink: adopting changes no wire. It leaves orders with
what it belongs to: a PoP's prefix when the host no longer helps that PoP, its own when it is
drained, and anybody's when its prefix is in the fleet no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import contains, family, length
from ambicast.model.routes import Advertisement
from controller.choreography.layout import layout
from controller.choreography.posture import Home, Posture


class Kept(msgspec.Struct, frozen=True):
    """One deed: ``kind``, ``about`` and ``since`` are its identity, as its host reports it.

    ``advertisements`` are those of its ``prefixes`` that were seen on the host's wire;
    ``back_since`` is since when the uplink it is about has worked again, ``mended`` that this
    uplink has what it missed.
    """

    kind: DeedKind
    about: str
    since: float
    prefixes: tuple[str, ...]
    advertisements: tuple[Advertisement, ...] = ()
    back_since: float | None = None
    mended: bool = False

    def is_of(self, deed: Deed) -> bool:
        """Whether this was adopted from ``deed``."""
        same = (self.kind, self.about, self.since) == (deed.kind, deed.about, deed.since)
        return same and set(deed.prefixes) <= set(self.prefixes)


class Claim(msgspec.Struct, frozen=True):
    """One PoP that was taken over without a controller.

    Attributes:
        helpers: the PoPs that did, and live.
        depths: family -> how deep they went.
        shared: families in which they advertise more-specifics of anycast prefixes too.
    """

    helpers: tuple[PopName, ...]
    depths: Mapping[Family, int]
    shared: Mapping[Family, int]


def adopted(
    mine: tuple[Kept, ...], deeds: Iterable[Deed], wire: Iterable[Advertisement]
) -> tuple[Kept, ...]:
    """``mine`` with all ``deeds``, and with what of them is on the ``wire`` by now."""
    found = {(each.kind, each.about): each for each in mine}
    for deed in deeds:
        old = found.get((deed.kind, deed.about))
        if old is None or not old.is_of(deed):
            before = old.prefixes if old else ()
            prefixes = tuple(dict.fromkeys((*before, *deed.prefixes)))
            told = old.advertisements if old else ()
            found[deed.kind, deed.about] = Kept(deed.kind, deed.about, deed.since, prefixes, told)
    sent = tuple(wire)
    return tuple(_seen(each, sent) for each in found.values())


def _seen(kept: Kept, wire: tuple[Advertisement, ...]) -> Kept:
    known = {(each.prefix, each.uplink) for each in kept.advertisements}
    mine = set(kept.prefixes)
    new = tuple(a for a in wire if a.prefix in mine and (a.prefix, a.uplink) not in known)
    if not new:
        return kept
    return msgspec.structs.replace(kept, advertisements=(*kept.advertisements, *new))


def still_meant(
    fleet: Fleet,
    pop: PopName,
    kept: Iterable[Kept],
    postures: Mapping[PopName, Posture],
) -> tuple[Advertisement, ...]:
    """What of ``kept`` a host of ``pop`` still has reason to advertise."""
    if postures[pop].home in {Home.AWAY, Home.DARK}:
        return ()
    return tuple(
        each
        for one in kept
        for each in one.advertisements
        if _meant(fleet, pop, each.prefix, postures)
    )


def _meant(fleet: Fleet, pop: PopName, prefix: str, postures: Mapping[PopName, Posture]) -> bool:
    found = layout(fleet).home_of(prefix)
    if found is None:
        # A part of a shared prefix; or of nothing any more, where a PoP has left the fleet.
        return layout(fleet).steers(prefix)
    if found[0] == pop:
        return True
    return postures[found[0]].helped_by(pop, family(prefix))


def of_today(kept: Iterable[Kept], fleet: Fleet) -> tuple[Kept, ...]:
    """``kept`` without what lies in no prefix that ``fleet`` steers."""
    facts = layout(fleet)
    cut = (
        msgspec.structs.replace(
            each,
            prefixes=tuple(prefix for prefix in each.prefixes if facts.steers(prefix)),
            advertisements=tuple(ad for ad in each.advertisements if facts.steers(ad.prefix)),
        )
        for each in kept
    )
    return tuple(each for each in cut if each.prefixes)


def deepest(
    fleet: Fleet, home: PopName, kind: Family, kept: Mapping[HostName, tuple[Kept, ...]]
) -> Mapping[PopName, int]:
    """PoP -> how deep its hosts advertise parts of the prefixes of ``home`` by themselves."""
    found: dict[PopName, int] = {}
    own = fleet.pops[home].prefixes_of(kind)
    for host, mine in kept.items():
        for each in (prefix for one in mine for prefix in one.prefixes):
            for prefix in own:
                if contains(prefix, each):
                    pop = fleet.pop_of(host).name
                    depth = length(each) - length(prefix)
                    found[pop] = max(depth, found.get(pop, 0))
    return found
