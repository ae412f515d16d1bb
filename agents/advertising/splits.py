"""One rung deeper: what beats the routes that a silent neighbor, or a router, goes on believing.

Longest match beats every preference, so the parts of a prefix one bit longer than anything that
was advertised on the silent side win wherever they are heard, for as long as it stays silent. For
an uplink these are the parts of PoPs' own prefixes (an anycast or covering prefix is everybody's,
and deepened by all or by none); for a lost host of this PoP the parts of everything, because no
more than the PoP's own router hears them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ambicast.model.fleet import Fleet
from ambicast.model.prefixes import contains, length, split

# Nobody carries more than eighths; what a /22 and a /46 leave is two rungs.
DEEPEST = 3


def base(prefix: str, steered: Iterable[str]) -> str | None:
    """The longest of the ``steered`` prefixes that ``prefix`` is a part of (or is)."""
    around = [each for each in steered if contains(each, prefix)]
    return max(around, key=length, default=None)


def of_pops(fleet: Fleet) -> frozenset[str]:
    """Every prefix that is some PoP's own."""
    return frozenset(prefix for pop in fleet.pops.values() for prefix in pop.prefixes)


def deeper(had: Collection[str], whole: Collection[str], present: Collection[str]) -> set[str]:
    """The parts to add so that everything in ``had`` is beaten.

    Args:
        had: prefixes advertised on the silent side.
        whole: the prefixes that may be split, in their normal length.
        present: prefixes advertised on the other side anyway.
    """
    depths: dict[str, int] = {}
    for prefix in had:
        around = base(prefix, whole)
        if around is not None:
            depths[around] = max(depths.get(around, 0), length(prefix) - length(around))
    found: set[str] = set()
    for prefix, depth in depths.items():
        if not _beaten(prefix, depth + 1, present):
            found |= set(_rung(prefix, depth + 1))
    return found - set(present)


def _beaten(prefix: str, depth: int, present: Collection[str]) -> bool:
    """Whether every part at ``depth``, or all at a deeper one, is advertised already."""
    for rung in range(depth, DEEPEST + 1):
        parts = split(prefix, rung)
        if parts and all(part in present for part in parts):
            return True
    return False


def _rung(prefix: str, depth: int) -> tuple[str, ...]:
    """The parts at ``depth``; none where they would not travel, or nobody carries them."""
    return split(prefix, depth) if depth <= DEEPEST else ()
