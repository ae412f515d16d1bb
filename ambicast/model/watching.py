"""Who watches whom: bounded however large the fleet, and so that every quorum can be heard.

Three reasons to watch a PoP:

* **The ring.** PoPs are ordered by a hash of their names; each watches as many before it as
  behind it, at least ``EACH_WAY`` on either side and one more than the quorum. So watching is
  mutual, a new PoP moves few watchers, and a region that is lost is watched from everywhere. The
  controller's votes are these. Of the watchers of one PoP even the outermost hears a quorum of
  the others (those between the two of them), also after one more is lost: they can cover it
  without the controller.
* **Prefixes that are not shared by all.** A keeper hands its role to somebody it hears and who
  hears it. So the PoPs that advertise the same covering prefixes form rings of their own, and
  each watches the next one either way.
* **Nearness.** Whoever takes over had better be near. So each PoP watches the nearest ones too,
  with as many of *their* ring as a quorum needs and one more, as far as ``MOST_WATCHED`` goes.

In a fleet of up to nine PoPs everybody watches everybody, and up to 25 nearly so. What is watched
for its nearness serves the own judgement only: it is not passed on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import cos, radians, sin

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from ambicast.model.prefixes import contains, family

EACH_WAY = 4
MOST_WATCHED = 24


def watched(fleet: Fleet, own: PopName) -> tuple[PopName, ...]:
    """The PoPs that ``own`` probes, sorted.

    At most ``MOST_WATCHED``, unless the ring and the rings of covering prefixes alone (two PoPs
    for each set of PoPs that advertise the same ones) are more.
    """
    found = {*ring(fleet, own), *_sharing(fleet, own)}
    for lost in _nearest(fleet, own):
        if len(found) >= MOST_WATCHED:
            break
        more = found | {lost, *_voters(fleet, lost, own, found)}
        if lost not in found and len(more) <= MOST_WATCHED:
            found = more
    return tuple(sorted(found))


def ring(fleet: Fleet, own: PopName) -> tuple[PopName, ...]:
    """The PoPs that ``own`` watches and that watch it, next ones first: whose votes count."""
    each_way = max(EACH_WAY, fleet.timing.quorum + 1)
    return _beside(tuple(fleet.pops), own, each_way)


def _voters(fleet: Fleet, lost: PopName, own: PopName, heard: Iterable[PopName]) -> set[PopName]:
    """As many watchers of ``lost`` as a quorum needs and one more; those ``heard`` come first."""
    heard = set(heard)
    others = [each for each in ring(fleet, lost) if each != own]
    others.sort(key=lambda each: each not in heard)
    return set(others[: fleet.timing.quorum + 1])


def _sharing(fleet: Fleet, own: PopName) -> set[PopName]:
    """The neighbors among those that advertise the same covering prefixes."""
    groups = {sharers(fleet, cover) for cover in fleet.covering}
    return {each for names in groups if own in names for each in _beside(names, own, 1)}


def sharers(fleet: Fleet, cover: str) -> tuple[PopName, ...]:
    """The PoPs that advertise a covering prefix: see :meth:`Fleet.covers_at`."""
    outside = [
        name
        for name, pop in fleet.pops.items()
        if not any(
            family(each) is family(cover) and contains(cover, each) for each in pop.prefixes
        )
    ]
    return tuple(outside or fleet.pops)


def _nearest(fleet: Fleet, own: PopName) -> list[PopName]:
    """The other PoPs, nearest first; of PoPs in one place everybody has another order."""

    def point(name: PopName) -> tuple[float, float, float]:
        lat, lon = radians(fleet.pops[name].place.lat), radians(fleet.pops[name].place.lon)
        return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)

    here = point(own)

    def distance(name: PopName) -> tuple[float, bytes]:
        # The straight line through the earth ranks as the way around it does.
        there = point(name)
        line = sum((a - b) ** 2 for a, b in zip(here, there, strict=True))
        return round(line, 12), _place_on_ring(f"{own} {name}")

    return sorted((name for name in fleet.pops if name != own), key=distance)


@lru_cache(maxsize=4096)
def _beside(names: tuple[PopName, ...], own: PopName, each_way: int) -> tuple[PopName, ...]:
    """Up to ``each_way`` of ``names`` on either side of ``own``, next ones first."""
    order = _in_order(names)
    here = order.index(own)
    found: dict[PopName, None] = {}
    for step in range(1, min(each_way, len(order) - 1) + 1):
        found[order[here - step]] = None
        found[order[(here + step) % len(order)]] = None
    return tuple(each for each in found if each != own)


@lru_cache(maxsize=16)
def _in_order(names: Sequence[PopName]) -> tuple[PopName, ...]:
    return tuple(sorted(names, key=_place_on_ring))


def _place_on_ring(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
