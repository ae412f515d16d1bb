"""Deeds: what this host advertises beyond its order, latched until orders have caught up.

A deed only ever adds. It grows while its cause does (a second family, a deeper rung) and shrinks
only by orders: a prefix an order advertises is the order's from then on, and a part of a prefix
that orders no longer advertise at all (the PoP was drained) is dropped. It does not end when its
cause does: withdrawing a loaded more-specific while the shorter prefix stands behind it makes
every client loop, and whoever follows a flapping cause does that at each turn. Deeds outlive the
agent on disk, and the controller learns of them from reports.

One kind ends by itself: what was added for a lost host of this PoP is heard by the PoP's own
router alone, which forgets it in an instant; it goes when that host has been back for a while.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from agents.advertising import contingency, splits
from agents.advertising.scene import Scene
from agents.advertising.weather import Weather
from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.pops import Pop
from ambicast.model.prefixes import family


def deeds(before: tuple[Deed, ...], weather: Weather, scene: Scene) -> tuple[Deed, ...]:
    """Every deed at this moment: what is left of those before, and what is new."""
    if scene.order is None:
        return before
    left = tuple(_left(before, weather, scene)) if before else ()
    fresh: list[Deed] = []
    lease = scene.order.lease
    if weather.contact.away(lease, scene.now):
        fresh += contingency.covers(weather.lost, left, scene)
    fresh += _for_uplinks(left, weather, scene)
    fresh += _for_siblings(left, weather, scene)
    return tuple(_left(joined(left, fresh), weather, scene))


def joined(before: Iterable[Deed], fresh: Iterable[Deed]) -> tuple[Deed, ...]:
    """Each deed once: new prefixes go to the deed of the same kind about the same."""
    found = {(each.kind, each.about): each for each in before}
    for each in fresh:
        known = found.get((each.kind, each.about))
        if known is None:
            found[each.kind, each.about] = each
        elif not set(each.prefixes) <= set(known.prefixes):
            prefixes = tuple(dict.fromkeys((*known.prefixes, *each.prefixes)))
            found[each.kind, each.about] = msgspec.structs.replace(known, prefixes=prefixes)
    return tuple(found.values())


def recalled(kept: Iterable[Deed], unix: float) -> tuple[Deed, ...]:
    """Deeds of an earlier run, whose instants were seconds since the Unix epoch."""
    return tuple(msgspec.structs.replace(each, since=each.since - unix) for each in kept)


def beside(deed: Deed, pop: Pop) -> bool:
    """Whether a deed is about a host of this PoP, and not about one of its uplinks."""
    return (
        deed.kind is DeedKind.SPLIT and deed.about not in pop.uplinks and deed.about in pop.hosts
    )


def _left(before: Iterable[Deed], weather: Weather, scene: Scene) -> Iterator[Deed]:
    """The deeds less what orders have taken over or given up."""
    order = scene.order
    if order is None:
        yield from before
        return
    ordered = {each.prefix for each in order.advertisements}
    covered = {p for deed in before if deed.kind is DeedKind.COVER for p in deed.prefixes}
    steered = scene.fleet.steered()
    for deed in before:
        wholes = ordered if deed.kind is DeedKind.COVER else ordered | covered
        prefixes = tuple(
            prefix
            for prefix in deed.prefixes
            if prefix not in ordered
            and _still_asked(prefix, deed.kind, wholes, steered)
            and not (beside(deed, scene.pop) and _is_back(deed.about, prefix, weather, scene))
        )
        if prefixes:
            same = prefixes == deed.prefixes
            yield deed if same else msgspec.structs.replace(deed, prefixes=prefixes)


def _still_asked(
    prefix: str, kind: DeedKind, wholes: Collection[str], steered: Collection[str]
) -> bool:
    """Whether orders still want this host to serve what ``prefix`` is a part of.

    A part goes with its whole. What was taken over from another PoP was never in the order; it
    goes when nothing at all is ordered in that family any more.
    """
    if kind is DeedKind.COVER:
        return any(family(each) is family(prefix) for each in wholes)
    around = splits.base(prefix, steered)
    return around is None or around in wholes


def _is_back(host: str, prefix: str, weather: Weather, scene: Scene) -> bool:
    """Whether a sibling has been seen for long enough again, in the family of ``prefix``."""
    since = weather.returned.get((host, family(prefix)))
    return since is not None and scene.now - since >= scene.fleet.timing.settle_down


def _for_uplinks(before: Iterable[Deed], weather: Weather, scene: Scene) -> Iterator[Deed]:
    whole = splits.of_pops(scene.fleet)
    for (name, kind), each in sorted(weather.silences.items()):
        if each.confirmed:
            present = _elsewhere(name, before, scene)
            added = splits.deeper(each.had, whole, present)
            yield from _split(name, (p for p in added if family(p) is kind), scene)


def _for_siblings(before: Iterable[Deed], weather: Weather, scene: Scene) -> Iterator[Deed]:
    for (name, kind), each in sorted(weather.siblings.items()):
        if each.confirmed:
            present = {p for deed in before if deed.about == name for p in deed.prefixes}
            added = splits.deeper(each.had, scene.fleet.steered(), present)
            yield from _split(name, (p for p in added if family(p) is kind), scene)


def _elsewhere(uplink: str, before: Iterable[Deed], scene: Scene) -> set[str]:
    """What is advertised through the other uplinks in any case."""
    found = {p for deed in before if not beside(deed, scene.pop) for p in deed.prefixes}
    if scene.order is not None:
        found |= {each.prefix for each in scene.order.advertisements if each.uplink != uplink}
    return found


def _split(about: str, prefixes: Iterable[str], scene: Scene) -> Iterator[Deed]:
    parts = tuple(sorted(prefix for prefix in prefixes if scene.servable(prefix)))
    if parts:
        yield Deed(kind=DeedKind.SPLIT, about=about, prefixes=parts, since=scene.now)
