"""Which PoP serves which client group: the nearest that may, within its capacity.

Every group has a *reference*: where it goes when all PoPs serve. References are placed in order
of demand, largest first, each at its nearest PoP that stays within the landing limit (I6). Who may
stay at its reference stays, whatever happens elsewhere: a loss moves the groups of the lost PoP
and nobody else's (I11, I13), and when it is back they go back. The displaced stay where they were
put before if they can; the rest are placed at the nearest usable PoP with room, and where none has
room at the one left with the most headroom, because a group without an answer is worse than a full
PoP; the result says so (``overloaded``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zlib import crc32

import msgspec

from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import GroupName, PopName
from controller.planning.nearness import nearest_first
from controller.planning.remembering import Last


class Assignment(msgspec.Struct, frozen=True):
    """Client groups to PoPs, the load that puts on each PoP, and which PoPs it overloads."""

    pops: Mapping[GroupName, PopName]
    load: Mapping[PopName, float]
    overloaded: tuple[PopName, ...] = ()


def rank(pop: PopName, group: GroupName) -> float:
    """A fixed number in [0, 1) for a pair; ``rank < share`` selects growing consistent subsets."""
    return crc32(f"{pop} {group}".encode()) / 2**32


def may(given: Mapping[PopName, float], pop: PopName, group: GroupName) -> bool:
    """Whether ``pop`` is given ``group`` at its present share."""
    share = given.get(pop, 0.0)
    return share >= 1.0 or (share > 0.0 and rank(pop, group) < share)


def assign(
    fleet: Fleet,
    given: Mapping[PopName, float],
    held: Mapping[GroupName, PopName] | None = None,
) -> Assignment:
    """Places every client group.

    Args:
        fleet: the inventory.
        given: usable PoPs with the share (0..1] of their groups they are given; PoPs that are
            not listed get nothing.
        held: where groups are now; displaced ones stay there while they can.
    """
    load = dict.fromkeys(given, 0.0)
    placed: dict[GroupName, PopName] = {}
    references, displaced, homeless = reference(fleet), [], []
    for group in by_demand(fleet):
        home = references.get(group.name)
        if home is not None and may(given, home, group.name):
            placed[group.name] = home
            load[home] += group.demand
        else:
            displaced.append(group)
    for group in displaced:
        before = held.get(group.name) if held else None
        if (
            before is not None
            and may(given, before, group.name)
            and load[before] + group.demand <= limit(fleet, before)
        ):
            placed[group.name] = before
            load[before] += group.demand
        else:
            homeless.append(group)
    for group in homeless:
        place(fleet, group, given, placed, load)
    return Assignment(placed, load, overloaded(fleet, load))


def place(
    fleet: Fleet,
    group: ClientGroup,
    given: Mapping[PopName, float],
    placed: dict[GroupName, PopName],
    load: dict[PopName, float],
) -> None:
    """Puts one group at the nearest usable PoP with room, changing ``placed`` and ``load``."""
    near = nearest_first(fleet, group)
    chosen = _roomy(fleet, group, (pop for pop in near if may(given, pop, group.name)), load)
    chosen = chosen or _roomy(fleet, group, (pop for pop in near if pop in given), load)
    if chosen is None:
        return
    placed[group.name] = chosen
    load[chosen] += group.demand


def _roomy(
    fleet: Fleet, group: ClientGroup, pops: Iterable[PopName], load: Mapping[PopName, float]
) -> PopName | None:
    """The first PoP with room for the group, else the one with the most headroom, if any."""
    best, most = None, float("-inf")
    for pop in pops:
        headroom = limit(fleet, pop) - load[pop]
        if load[pop] + group.demand <= limit(fleet, pop):
            return pop
        if headroom > most:
            best, most = pop, headroom
    return best


def limit(fleet: Fleet, pop: PopName) -> float:
    """The load that ``pop`` may land at most, in the unit of its capacity."""
    return fleet.limits.landing_load * fleet.pops[pop].capacity


def overloaded(fleet: Fleet, load: Mapping[PopName, float]) -> tuple[PopName, ...]:
    """The PoPs whose load is above their limit, sorted."""
    return tuple(sorted(pop for pop, carried in load.items() if carried > limit(fleet, pop)))


@Last
def by_demand(fleet: Fleet) -> tuple[ClientGroup, ...]:
    """All client groups, largest demand first; the name breaks ties."""
    return tuple(sorted(fleet.clients.values(), key=lambda each: (-each.demand, each.name)))


@Last
def reference(fleet: Fleet) -> Mapping[GroupName, PopName]:
    """Where each client group goes when all PoPs serve."""
    given, load = dict.fromkeys(fleet.pops, 1.0), dict.fromkeys(fleet.pops, 0.0)
    placed: dict[GroupName, PopName] = {}
    for group in by_demand(fleet):
        place(fleet, group, given, placed, load)
    return placed
