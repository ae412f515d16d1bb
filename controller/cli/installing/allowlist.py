"""What a PoP may ever originate, from the fleet: the agent's allow-list.

Tight enough that a controller gone wrong cannot have this PoP originate other people's prefixes,
wide enough for everything a bad day asks of it: any PoP may have to take over any other one's
prefixes, and every rung of the ladder below them (halves, quarters), down to what the Internet
accepts. Covers are never split.
"""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from ambicast.model.prefixes import ROUTABLE_FLOOR, family, length, network


def allowances(fleet: Fleet, pop: PopName) -> tuple[Mapping[str, str | int], ...]:
    """``{prefix, longest}`` as in ``agent.yaml``: own ones first, then by family and address."""
    own = fleet.pops[pop].prefixes
    others = {prefix for each in fleet.pops.values() for prefix in each.prefixes}
    split = [*own, *_ordered(others - set(own)), *_ordered(set(fleet.anycast_prefixes()))]
    found: dict[str, int] = {}
    for prefix in split:
        found.setdefault(prefix, max(length(prefix), ROUTABLE_FLOOR[family(prefix)]))
    for cover in fleet.covers_at(pop):
        found.setdefault(cover, length(cover))
    return tuple({"prefix": prefix, "longest": longest} for prefix, longest in found.items())


def _ordered(prefixes: set[str]) -> list[str]:
    return sorted(prefixes, key=lambda each: (family(each), network(each)))
