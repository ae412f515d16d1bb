"""Which PoP serves which client group: the nearest that may, within its capacity.

Groups are placed in order of demand, largest first, each at its nearest usable PoP that stays
within the landing limit (I6); where none does, at the one left with the most headroom, because a
group without an answer is worse than a full PoP, and the result says so (``overloaded``).
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import GroupName, PopName
from controller.planning.nearness import nearest_first


class Assignment(msgspec.Struct, frozen=True):
    """Client groups to PoPs, the load that puts on each PoP, and which PoPs it overloads."""

    pops: Mapping[GroupName, PopName]
    load: Mapping[PopName, float]
    overloaded: tuple[PopName, ...] = ()


def rank(pop: PopName, group: GroupName) -> float:
    """A fixed number in [0, 1) for a pair; ``rank < share`` selects growing consistent subsets."""
    return crc32(f"{pop} {group}".encode()) / 2**32


def assign(fleet: Fleet, given: Mapping[PopName, float]) -> Assignment:
    """Places every client group.

    Args:
        fleet: the inventory.
        given: usable PoPs with the share (0..1] of their groups they are given; PoPs that are
            not listed get nothing.
    """
    load = dict.fromkeys(given, 0.0)
    placed: dict[GroupName, PopName] = {}
    for group in sorted(fleet.clients.values(), key=lambda each: (-each.demand, each.name)):
        usable = [
            pop for pop in nearest_first(fleet, group) if rank(pop, group.name) < given.get(pop, 0)
        ] or [pop for pop in nearest_first(fleet, group) if pop in given]
        if not usable:
            continue
        fitting = (pop for pop in usable if load[pop] + group.demand <= _limit(fleet, pop))
        chosen = next(fitting, None) or max(usable, key=lambda pop: _limit(fleet, pop) - load[pop])
        placed[group.name] = chosen
        load[chosen] += group.demand
    over = tuple(sorted(pop for pop, carried in load.items() if carried > _limit(fleet, pop)))
    return Assignment(placed, load, over)


def _limit(fleet: Fleet, pop: PopName) -> float:
    return fleet.limits.landing_load * fleet.pops[pop].capacity
