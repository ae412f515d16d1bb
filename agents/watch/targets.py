"""Whom to ask, from where, and in which order.

Every PoP watches the ``MOST_WATCHED`` PoPs that follow it on a ring ordered by a hash of the
names: so each PoP is also watched by that many, and a new one moves few of them. In a fleet of
up to nine PoPs everybody watches everybody.

A *path* leads to another PoP's identity address on one uplink in one family. It is asked through
each own uplink (an *exit*), once per interval each. The asks are spread evenly over the interval;
own uplinks lie farthest apart in that order, so that with two of them each path is heard twice
per interval, half an interval apart, and each PoP every few milliseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName, UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import address

MOST_WATCHED = 8


class Path(NamedTuple):
    """To another PoP's identity address."""

    pop: PopName
    uplink: UplinkName
    family: Family


class Exit(NamedTuple):
    """One of the own uplinks, in one family."""

    uplink: UplinkName
    family: Family


class Ask(msgspec.Struct, frozen=True):
    """One probe that is sent again and again; addresses in canonical text."""

    path: Path
    exit: Exit
    source: str
    target: str


def watched(everyone: Iterable[PopName], own: PopName) -> tuple[PopName, ...]:
    """The PoPs that ``own`` watches, sorted."""
    ring = sorted(everyone, key=_place_on_ring)
    here = ring.index(own)
    following = ring[here + 1 :] + ring[:here]
    return tuple(sorted(following[:MOST_WATCHED]))


def asks(fleet: Fleet, pop: Pop) -> tuple[Ask, ...]:
    """Every probe of one interval, in the order in which they are spread over it."""
    others = [fleet.pops[name] for name in watched(fleet.pops, pop.name)]
    found = []
    for own_name, own in sorted(pop.uplinks.items()):
        for family in Family:
            if family not in own.identity:
                continue
            source = str(address(own.identity[family]))
            for path, target in _paths(others, family):
                found.append(Ask(path, Exit(own_name, family), source, target))
    return tuple(found)


def _paths(others: list[Pop], family: Family) -> list[tuple[Path, str]]:
    """Paths to all others in one family; the PoP changes fastest, their uplinks slowest."""
    ranked = [
        (rank, Path(pop.name, name, family), str(address(uplink.identity[family])))
        for pop in others
        for rank, (name, uplink) in enumerate(sorted(pop.uplinks.items()))
        if family in uplink.identity
    ]
    return [(path, target) for _, path, target in sorted(ranked)]


def _place_on_ring(name: PopName) -> bytes:
    return hashlib.sha256(name.encode()).digest()
