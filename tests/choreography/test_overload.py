"""A PoP loaded to its limit is given less, and never withdrawn."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.model.identifiers import Family
from controller.choreography.phases import Phase
from tests.choreography.fleets import many_pops
from tests.choreography.stage import Stage
from tests.choreography.test_many_pops import P

QUICK = {"ttl": 2.0, "tail": 0.5, "stagger": 1.0, "settle_down": 5.0, "shutdown_wait": 0.5}


@pytest.fixture
def stage() -> Stage:
    """Four PoPs with ten client groups each, and room for thirty."""
    return roomy(30.0)


def roomy(capacity: float) -> Stage:
    fleet = many_pops(4, 40, **QUICK)
    pops = {n: msgspec.structs.replace(p, capacity=capacity) for n, p in fleet.pops.items()}
    stage = Stage(msgspec.structs.replace(fleet, pops=pops))
    stage.pass_time(2.5)
    return stage


def groups(stage: Stage) -> set[str]:
    """The client groups that the overloaded PoP is given."""
    assignment = stage.run.assignments[Family.V4]
    return {str(group) for group, pop in assignment.pops.items() if pop == P[1]}


def test_its_share_shrinks_once_per_ttl_and_no_route_moves(stage: Stage) -> None:
    all_of_it, sent = groups(stage), {p: stage.wire(p) for p in P[:4]}
    stage.overloaded.add(P[1])
    stage.pass_time(0.2)
    half = groups(stage)
    assert half < all_of_it
    stage.pass_time(1.5)
    assert groups(stage) == half
    stage.pass_time(1)
    quarter = groups(stage)
    assert quarter < half
    stage.pass_time(20, every=0.5)
    assert groups(stage) == quarter
    assert stage.run.pops[P[1]].shed == 0.25
    assert stage.run.pops[P[1]].phase is Phase.HOME
    assert {p: stage.wire(p) for p in P[:4]} == sent


def test_others_groups_stay_where_they_are(stage: Stage) -> None:
    before = dict(stage.run.assignments[Family.V4].pops)
    stage.overloaded.add(P[1])
    stage.pass_time(5)
    after = stage.run.assignments[Family.V4].pops
    assert all(before[each] == P[1] for each in before if before[each] != after[each])


def test_it_grows_back_when_it_has_been_calm(stage: Stage) -> None:
    all_of_it = groups(stage)
    stage.overloaded.add(P[1])
    stage.pass_time(5)
    quarter = groups(stage)
    stage.overloaded.clear()
    stage.pass_time(4.5)
    assert groups(stage) == quarter
    stage.pass_time(1)
    half = groups(stage)
    assert quarter < half < all_of_it
    stage.pass_time(5.5)
    assert groups(stage) == all_of_it
    assert stage.run.pops[P[1]].calm_since is None
    texts = [each.text for each in stage.happened("pop.shed")]
    assert [each.split(" ")[1] for each in texts] == ["50%", "25%", "50%", "100%"]


def test_an_overload_in_between_begins_the_rest_anew(stage: Stage) -> None:
    stage.overloaded.add(P[1])
    stage.pass_time(5)
    quarter = groups(stage)
    for _ in range(5):
        stage.overloaded.clear()
        stage.pass_time(3)
        stage.overloaded.add(P[1])
        stage.pass_time(0.2)
    assert groups(stage) == quarter


def test_nothing_is_shed_onto_who_cannot_bear_it() -> None:
    stage = roomy(11.2)  # ten of them are 0.89 of it
    before = groups(stage)
    stage.overloaded.add(P[1])
    stage.pass_time(10)
    assert groups(stage) == before
    assert stage.run.pops[P[1]].shed == 1.0


def test_where_everybody_is_overloaded_everybody_keeps_something(stage: Stage) -> None:
    stage.overloaded |= set(P[:4])
    stage.pass_time(20, every=0.5)
    pops = set(stage.run.assignments[Family.V4].pops.values())
    assert pops == set(P[:4])
    assert len(stage.run.assignments[Family.V4].pops) == 40
