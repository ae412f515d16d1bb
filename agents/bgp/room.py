"""Room under a neighbor's limit of prefixes, which holds at every moment (RFC 4486 section 4).

A neighbor counts after each route. Two sets that fit are not enough: what comes before anything
is withdrawn stands beside all that will be, and the one prefix too many ends the session. So on a
session that is that full the shortest new prefixes come first, as many as there is room for. The
others wait until as much was seen to leave: the most specific of what shall go anyway, and no
more of it than needed, because everywhere else advertising still comes before withdrawing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from agents.bgp.difference import Rib
from agents.bgp.paths import Path
from ambicast.model.prefixes import length


def within(
    wanted: Rib, rib: Rib, going: Mapping[str, Collection[str]], most: Mapping[str, int]
) -> Rib:
    """``wanted``, less what there is no room for yet, and with what need not leave yet.

    Args:
        wanted: what each session shall hold in the end.
        rib: what it holds.
        going: prefixes it holds no more, whose withdrawals may not have been sent yet.
        most: how many prefixes its neighbor takes; a session missing here has no limit.
    """
    return {
        neighbor: _next(paths, rib.get(neighbor, {}), going.get(neighbor, ()), most.get(neighbor))
        for neighbor, paths in wanted.items()
    }


def _next(
    wanted: Mapping[str, Path], held: Mapping[str, Path], going: Collection[str], most: int | None
) -> Mapping[str, Path]:
    fresh = sorted((each for each in wanted if each not in held), key=_by_length)
    if most is None or len(fresh) + len(held) + len(going) <= most:
        return wanted
    room = max(0, most - len(held) - len(going))
    waiting = frozenset(fresh[room:])
    surplus = sorted((each for each in held if each not in wanted), key=_by_length, reverse=True)
    needed = max(0, len(fresh) + len(held) - most)
    staying = {each: held[each] for each in surplus[needed:]}
    return {each: path for each, path in wanted.items() if each not in waiting} | staying


def _by_length(prefix: str) -> tuple[int, str]:
    return length(prefix), prefix
