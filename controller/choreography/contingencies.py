"""What hosts do by themselves when a PoP is lost while no controller is there.

For every PoP of the failover table: its prefixes, and the rung that beats what it advertises now;
for anycast prefixes the rung that beats what all members advertise, in sets small enough. Every
advertiser of its row is told, with its order, before it happens. A change of them alone is a new
order, and never a change on a wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import msgspec

from ambicast.contract.messages import Contingency
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import family, length
from controller.choreography.kept import Kept, deepest
from controller.choreography.ladder import DEEPEST, rungs
from controller.choreography.layout import layout
from controller.choreography.posture import Posture
from controller.planning.failover import Failover
from controller.planning.nearness import kilometres
from controller.planning.remembering import Last

# An order travels as one message of at most 256 KiB; addresses and observed prefixes of 500 PoPs
# take some 50, and attributes of advertisements the rest.
MOST_BYTES = 160 * 1024


@Last
def armed(
    fleet: Fleet,
    lost: tuple[PopName, ...],
    postures: Mapping[PopName, Posture],
    anycast: Mapping[Family, int],
    kept: Mapping[HostName, tuple[Kept, ...]],
) -> Mapping[PopName, Contingency]:
    """PoP -> what its advertisers add when it is lost."""
    facts = layout(fleet)
    shared = _deeper_anycast(fleet, anycast)
    found: dict[PopName, Contingency] = {}
    for name in lost:
        prefixes: list[str] = []
        for kind in Family:
            stale = stale_depth(fleet, name, kind, postures[name], kept)
            for prefix in facts.own[name][kind]:
                prefixes += (prefix, *rungs(prefix, min(DEEPEST, stale + 1)))
        found[name] = Contingency(lost=name, prefixes=tuple(prefixes), shared=shared)
    return found


def stale_depth(
    fleet: Fleet,
    pop: PopName,
    kind: Family,
    posture: Posture,
    kept: Mapping[HostName, tuple[Kept, ...]],
) -> int:
    """How deep ``pop`` advertises its own prefixes: what it leaves behind when it dies."""
    own = deepest(fleet, pop, kind, kept).get(pop, 0) if kept else 0
    return max(posture.split_in(kind), own)


def _deeper_anycast(fleet: Fleet, anycast: Mapping[Family, int]) -> tuple[str, ...]:
    facts = layout(fleet)
    if not facts.small:
        return ()
    found: list[str] = []
    for kind in Family:
        depth = anycast.get(kind, 0)
        for prefix in facts.anycast[kind]:
            deeper = rungs(prefix, min(DEEPEST, depth + 1))
            if deeper != rungs(prefix, depth):
                found += deeper
    return tuple(found)


class Plans:
    """The contingencies of all PoPs, ready to be put into orders; equal if made of the same."""

    def __init__(
        self, table: Mapping[PopName, Failover], armed: Mapping[PopName, Contingency]
    ) -> None:
        """``table`` says who advertises; PoPs that are not ``armed`` are left out."""
        self._table = table
        self._armed = armed
        rows: dict[PopName, list[Contingency]] = {}
        marks: dict[PopName, int] = {}
        sizes: dict[PopName, int] = {}
        for name, plan in sorted(armed.items()):
            mark, size = crc32(msgspec.json.encode(plan)), _size(plan)
            for pop in table[name].advertisers if name in table else ():
                rows.setdefault(pop, []).append(plan)
                marks[pop] = marks.get(pop, 0) + mark
                sizes[pop] = sizes.get(pop, 0) + size
        self._rows = {pop: tuple(each) for pop, each in rows.items()}
        self._marks = {pop: crc32(f"{mark} {sizes[pop]}".encode()) for pop, mark in marks.items()}
        self._sizes = sizes
        self._worst = {
            kind: max((_count(each, kind) for each in armed.values()), default=0)
            for kind in Family
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plans):
            return NotImplemented
        return self._table == other._table and self._armed == other._armed

    __hash__ = None  # type: ignore[assignment]  # mappings are inside

    def at(
        self, fleet: Fleet, pop: PopName, room: Mapping[Family, int]
    ) -> tuple[tuple[Contingency, ...], int]:
        """What a host of ``pop`` is told, and a checksum of it.

        ``room``: how many prefixes more its neighbors take in each family.
        """
        plans = self._rows.get(pop, ())
        small = self._sizes.get(pop, 0) <= MOST_BYTES
        if small and all(self._worst[kind] <= room[kind] for kind in Family):
            return plans, self._marks.get(pop, 0)
        plans = plans if small else self._nearest(fleet, pop, plans)
        plans = tuple(cut for each in plans if (cut := _cut(each, room)).prefixes)
        return plans, crc32(msgspec.json.encode(plans))

    def _nearest(
        self, fleet: Fleet, pop: PopName, plans: tuple[Contingency, ...]
    ) -> tuple[Contingency, ...]:
        """As many of the nearest PoPs as one message can hold; the far ones have others."""
        here = fleet.pops[pop].place

        def distance(each: Contingency) -> tuple[float, str]:
            there = fleet.pops[PopName(each.lost)].place
            return kilometres(here.lat, here.lon, there.lat, there.lon), each.lost

        left, near = MOST_BYTES, set()
        for each in sorted(plans, key=distance):
            left -= _size(each)
            if left < 0:
                break
            near.add(each.lost)
        return tuple(each for each in plans if each.lost in near)


@Last
def plans(table: Mapping[PopName, Failover], armed: Mapping[PopName, Contingency]) -> Plans:
    """The plans of this table."""
    return Plans(table, armed)


def _count(plan: Contingency, kind: Family) -> int:
    return sum(family(each) is kind for each in (*plan.prefixes, *plan.shared))


def _size(plan: Contingency) -> int:
    return 48 + len(plan.lost) + sum(len(each) + 3 for each in (*plan.prefixes, *plan.shared))


def _cut(plan: Contingency, left: Mapping[Family, int]) -> Contingency:
    """``plan`` within the room that is left in each family, least specific first."""
    kept: set[str] = set()
    for kind in Family:
        mine = sorted(
            (each for each in plan.prefixes if family(each) is kind),
            key=lambda each: (length(each), each),
        )
        others = [each for each in plan.shared if family(each) is kind]
        kept.update((*mine, *others)[: max(0, left[kind])])
    return msgspec.structs.replace(
        plan,
        prefixes=tuple(each for each in plan.prefixes if each in kept),
        shared=tuple(each for each in plan.shared if each in kept),
    )
