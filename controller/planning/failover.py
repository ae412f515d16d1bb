"""The failover table: for every PoP, who takes over if it is lost, decided before it is (I13).

Every PoP with headroom advertises (three nearest alone put half the clients on one of them and
heal in 11 s at p99 under free-running MRAI; failover-simulation.md section 2), and the landing
load is predicted from where its client groups would go. Only its own groups move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import GroupName, PopName
from controller.planning.assignment import Assignment, assign, by_demand, overloaded, place


class Failover(msgspec.Struct, frozen=True):
    """What happens when one PoP is lost.

    ``advertisers`` take over its prefixes, nearest last to leave on return; ``answers`` is where
    its client groups are steered, and only they: all rows together then hold each group once, and
    not once per PoP; ``overloaded`` names PoPs the landing load would overload.
    """

    advertisers: tuple[PopName, ...]
    answers: Mapping[GroupName, PopName]
    overloaded: tuple[PopName, ...]
    computed_at: float


def failover_table(
    fleet: Fleet,
    given: Mapping[PopName, float],
    now: float,
    held: Mapping[GroupName, PopName] | None = None,
) -> Mapping[PopName, Failover]:
    """One row per PoP that is given traffic now; ``given`` and ``held`` as for ``assign``."""
    before = assign(fleet, given, held)
    groups: dict[PopName, list[ClientGroup]] = {pop: [] for pop in given}
    for group in by_demand(fleet):
        if group.name in before.pops:
            groups[before.pops[group.name]].append(group)
    everyone = sorted(given)
    return {lost: _row(fleet, before, given, everyone, lost, groups[lost], now) for lost in given}


def _row(  # noqa: PLR0917 - all that a row is made of, computed once for all rows
    fleet: Fleet,
    before: Assignment,
    given: Mapping[PopName, float],
    everyone: Sequence[PopName],
    lost: PopName,
    moving: Sequence[ClientGroup],
    now: float,
) -> Failover:
    survivors = {pop: share for pop, share in given.items() if pop != lost}
    load = {pop: carried for pop, carried in before.load.items() if pop != lost}
    placed: dict[GroupName, PopName] = {}
    for group in moving:
        place(fleet, group, survivors, placed, load)
    touched = {placed[group.name] for group in moving if group.name in placed}
    over = {*before.overloaded, *overloaded(fleet, {pop: load[pop] for pop in touched})} - {lost}
    with_headroom = tuple(pop for pop in everyone if pop != lost and pop not in over)
    return Failover(
        # Nobody with headroom is no reason to leave the prefix dead: least bad is all.
        advertisers=with_headroom or tuple(pop for pop in everyone if pop != lost),
        answers=placed,
        overloaded=tuple(sorted(over)),
        computed_at=now,
    )
