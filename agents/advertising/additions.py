"""Deeds as advertisements: through which uplinks, with which attributes, and as many as fit.

Through every uplink of the family that works; through one that was silent as soon as it is heard
again, because a more-specific that is missing on one side takes that side out of use. What an
uplink carries already stays on it, also while an agent that was started anew has seen nothing.

A neighbor closes the session at its limit of prefixes and everything goes with it (RFC 4486), so
what does not fit beside the order is left out: what is new before what the uplink carries (who
took a loaded more-specific back would make its clients loop), of these other PoPs' prefixes before
own ones, the most specific first. Orders are never cut for this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from agents.advertising.deeds import beside
from agents.advertising.scene import Way
from ambicast.contract.messages import Deed
from ambicast.model.identifiers import UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import contains, family, length
from ambicast.model.routes import Advertisement, Attributes

# RFC 1997: not to be told to other autonomous systems.
NO_EXPORT = "65535:65281"


class Additions(NamedTuple):
    """What is added to the order; ``no_room`` are prefixes some uplink could not take."""

    advertisements: tuple[Advertisement, ...] = ()
    no_room: frozenset[str] = frozenset()


def additions(
    deeds: Iterable[Deed],
    ordered: Collection[Advertisement],
    rib: Collection[Advertisement],
    usable: Collection[Way],
    pop: Pop,
) -> Additions:
    """Everything the deeds add.

    Args:
        deeds: what is to be done, one kind before the other where they meet in a prefix.
        ordered: the advertisements of the order; a path in there is never added.
        rib: what ExaBGP holds.
        usable: (uplink, family) known to work; what is new goes through these only.
        pop: the own PoP.
    """
    known = {(each.prefix, each.uplink) for each in ordered}
    held = {(each.prefix, each.uplink) for each in rib}
    found: dict[tuple[str, str], Advertisement] = {}
    for deed in sorted(deeds, key=lambda each: beside(each, pop)):
        for prefix, uplink in _paths(deed, pop):
            path, works = (prefix, uplink), (uplink, family(prefix)) in usable
            if path not in known and path not in found and (works or path in held):
                attributes = _like(prefix, uplink, ordered, near=beside(deed, pop))
                found[path] = Advertisement(prefix, uplink, attributes)
    return _fitting(found.values(), ordered, held, pop)


def _paths(deed: Deed, pop: Pop) -> Iterator[tuple[str, str]]:
    for prefix in deed.prefixes:
        for name in sorted(pop.uplinks):
            if family(prefix) in pop.uplinks[name].families:
                yield prefix, name


def _like(prefix: str, uplink: str, ordered: Iterable[Advertisement], *, near: bool) -> Attributes:
    """The attributes of what ``prefix`` is a part of; ``near``: for the PoP's router alone."""
    around = [each for each in ordered if each.uplink == uplink and contains(each.prefix, prefix)]
    whole = max(around, key=lambda each: length(each.prefix), default=None)
    given = whole.attributes if whole else Attributes()
    if not near:
        return given
    communities = tuple(sorted({*given.communities, NO_EXPORT}))
    return Attributes(given.prepend, given.med, communities, given.large_communities)


def _fitting(
    wanted: Iterable[Advertisement],
    ordered: Iterable[Advertisement],
    held: Collection[tuple[str, str]],
    pop: Pop,
) -> Additions:
    taken = Counter((each.uplink, family(each.prefix)) for each in ordered)
    kept, no_room = [], set()

    def rank(each: Advertisement) -> tuple[bool, bool, int, str, str]:
        fresh = (each.prefix, each.uplink) not in held
        own = any(contains(prefix, each.prefix) for prefix in pop.prefixes)
        return fresh, not own, length(each.prefix), each.prefix, each.uplink

    for each in sorted(wanted, key=rank):
        way = (each.uplink, family(each.prefix))
        if taken[way] < pop.uplinks[UplinkName(each.uplink)].max_prefixes:
            taken[way] += 1
            kept.append(each)
        else:
            no_room.add(each.prefix)
    return Additions(tuple(kept), frozenset(no_room))
