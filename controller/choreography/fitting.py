"""As many prefixes as a neighbor takes.

A neighbor closes the session at its limit, and everything goes with it (RFC 4486). What does not
fit is left out: first what belongs to other PoPs, the most specific first, and never an own or
shared prefix before another's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from ambicast.model.identifiers import Family, UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import contains, family, length
from ambicast.model.routes import Advertisement

Way = tuple[str, Family]
"""An uplink, in one family."""


def counts(sent: Iterable[Advertisement]) -> Counter[Way]:
    """How many prefixes go through each uplink in each family."""
    return Counter((each.uplink, family(each.prefix)) for each in sent)


def fitting(
    pop: Pop,
    own: Mapping[Family, Collection[str]],
    shared: Collection[str],
    sent: tuple[Advertisement, ...],
) -> tuple[Advertisement, ...]:
    """``sent``, less what some neighbor of ``pop`` would not take beside the rest."""
    taken = counts(sent)
    full = {way for way, count in taken.items() if count > _most(pop, way)}
    if not full:
        return sent

    def rank(each: Advertisement) -> tuple[bool, int, str]:
        mine = (*own[family(each.prefix)], *shared)
        other = not any(contains(prefix, each.prefix) for prefix in mine)
        return other, length(each.prefix), each.prefix

    kept: set[Advertisement] = set()
    for way in full:
        through = [each for each in sent if (each.uplink, family(each.prefix)) == way]
        kept.update(sorted(through, key=rank)[: _most(pop, way)])
    return tuple(
        each for each in sent if each in kept or (each.uplink, family(each.prefix)) not in full
    )


def room(pop: Pop, sent: Iterable[Advertisement]) -> Mapping[Family, int]:
    """How many prefixes more every neighbor of a family would take beside ``sent``."""
    taken = counts(sent)
    return {
        kind: min(
            (
                link.max_prefixes - taken[name, kind]
                for name, link in pop.uplinks.items()
                if kind in link.families
            ),
            default=0,
        )
        for kind in Family
    }


def _most(pop: Pop, way: Way) -> int:
    uplink = pop.uplinks.get(UplinkName(way[0]))
    return uplink.max_prefixes if uplink else 0
