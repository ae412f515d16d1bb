"""As many prefixes as a neighbor takes.

A neighbor closes the session at its limit, and everything goes with it (RFC 4486). What does not
fit is left out: first what belongs to other PoPs, the most specific first, and never an own or
shared prefix before another's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ambicast.model.identifiers import Family, PopName
from ambicast.model.prefixes import contains, family, length
from ambicast.model.routes import Advertisement
from controller.choreography.layout import Layout

Way = tuple[str, Family]
"""An uplink, in one family."""


def counts(sent: Iterable[Advertisement]) -> Counter[Way]:
    """How many prefixes go through each uplink in each family."""
    return Counter((each.uplink, family(each.prefix)) for each in sent)


def fitting(
    facts: Layout,
    pop: PopName,
    sent: tuple[Advertisement, ...],
    spare: frozenset[str] = frozenset(),
) -> tuple[tuple[Advertisement, ...], Mapping[Family, int]]:
    """``sent``, less what some neighbor of ``pop`` would not take beside the rest.

    And, per family, how many prefixes more every neighbor would take. ``spare`` goes first.
    """
    taken, links = counts(sent), facts.links[pop]
    most: dict[Way, int] = {
        (link.name, kind): link.most for link in links for kind in link.families
    }
    full = {way for way, count in taken.items() if count > most.get(way, 0)}
    if full and spare:
        return fitting(facts, pop, tuple(each for each in sent if each.prefix not in spare))
    if full:
        sent = _cut(facts, pop, sent, {way: most.get(way, 0) for way in full})
        taken = counts(sent)
    room = {
        kind: min((most[way] - taken[way] for way in most if way[1] is kind), default=0)
        for kind in Family
    }
    return sent, room


def _cut(
    facts: Layout, pop: PopName, sent: tuple[Advertisement, ...], full: Mapping[Way, int]
) -> tuple[Advertisement, ...]:
    def rank(each: Advertisement) -> tuple[bool, int, str]:
        mine = (*facts.own[pop][family(each.prefix)], *facts.shared)
        other = not any(contains(prefix, each.prefix) for prefix in mine)
        return other, length(each.prefix), each.prefix

    kept: set[Advertisement] = set()
    for way, most in full.items():
        through = [each for each in sent if (each.uplink, family(each.prefix)) == way]
        kept.update(sorted(through, key=rank)[:most])
    return tuple(
        each for each in sent if each in kept or (each.uplink, family(each.prefix)) not in full
    )
