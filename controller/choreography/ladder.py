"""The ladder of more-specifics: which rung wins against whatever a dead PoP left behind.

A silent PoP's routes stay until hold timers end, and longest match beats every preference. So a
takeover advertises one bit longer than anything the dead PoP was advertising: halves against its
prefix, quarters against its halves (a second death, or a latched return). At the routable floor
there is no rung left; then the deepest that exists must do (failover.md, "Address plan").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ambicast.model.prefixes import contains, length, split

# Nobody carries more than eighths: what a /22 and /46 leave is two rungs.
DEEPEST = 3


def rungs(prefix: str, depth: int) -> tuple[str, ...]:
    """The parts of ``prefix`` at ``depth``, or at the deepest smaller depth that still travels."""
    for rung in range(depth, 0, -1):
        parts = split(prefix, rung)
        if parts:
            return parts
    return ()


def deepest_on_wire(prefix: str, wire: Iterable[str]) -> int | None:
    """How many bits longer the longest part of ``prefix`` on ``wire`` is; none if nothing is."""
    depths = [length(each) - length(prefix) for each in wire if contains(prefix, each)]
    return max(depths, default=None)


def depth_against(prefixes: Sequence[str], stale: Mapping[str, int]) -> int:
    """The depth that beats every stale route: one more than the deepest left behind."""
    return min(DEEPEST, 1 + max((stale.get(prefix, 0) for prefix in prefixes), default=0))
