"""A controller without memory believes wires no more than it would with its journal."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.model.identifiers import PopName
from ambicast.model.prefixes import contains
from ambicast.model.routes import Advertisement
from controller.choreography.phases import Phase
from tests.choreography.fleets import many_pops
from tests.choreography.stage import Stage, restarted
from tests.choreography.test_one_host_s_word import QUICK, P, away, claim


@pytest.fixture
def ten() -> Stage:
    stage = Stage(many_pops(10, 30, **QUICK))
    stage.pass_time(2.5)
    return stage


def ordered(stage: Stage, teller: PopName, *lost: PopName) -> None:
    """Somebody ordered ``teller`` once to carry what ``lost`` has, and deeper."""
    host = stage.fleet.bgp_hosts(teller)[0]
    stamp, order = stage.orders[host]
    plans = [plan for plan in order.when_lost if plan.lost in lost]
    more = tuple(
        Advertisement(prefix, link)
        for plan in plans
        for prefix in plan.prefixes
        for link in ("north", "south")
    )
    changed = msgspec.structs.replace(order, advertisements=(*order.advertisements, *more))
    stage.orders[host] = (stamp, changed)


def parts(stage: Stage, at: PopName, of: PopName) -> set[str]:
    """What ``at`` advertises inside the prefixes of ``of``."""
    own = stage.fleet.pops[of].prefixes
    return {each for each in stage.wire(at) if any(contains(whole, each) for whole in own)}


def forget(stage: Stage) -> None:
    """The controller dies, and its journal with it."""
    stage.pass_time(0.3)
    restarted(stage, None)


def test_one_host_that_did_nine_takeovers_by_itself_moves_nobody(ten: Stage) -> None:
    answers = ten.given()
    claim(ten, P[0], *P[1:])
    forget(ten)
    ten.pass_time(8)
    assert away(ten) == []
    assert ten.given() == answers
    assert {each.pop for each in ten.happened("claim.ignored")} == set(P[1:])
    for name in P[1:]:
        assert parts(ten, name, name) == set(ten.fleet.pops[name].prefixes)
        assert len(parts(ten, P[0], name)) > 2, "nothing is withdrawn behind its back"


def test_one_host_that_was_ordered_to_carry_nine_gives_them_back_and_no_client_moves(
    ten: Stage,
) -> None:
    answers = ten.given()
    ordered(ten, P[0], *P[1:])
    forget(ten)
    for _ in range(40):
        ten.pass_time(0.5, every=0.5)
        for name in P[1:]:
            deeper = parts(ten, P[0], name)
            assert not deeper or len(deeper) > 2
        if ten.run.steering is not None and ten.given():
            assert ten.given() == answers
    assert away(ten) == []
    for name in P[1:]:
        assert parts(ten, P[0], name) == set()
        assert len(parts(ten, name, name)) > 2, "home is as deep as its helper was"


def test_home_is_as_deep_before_its_last_helper_leaves(ten: Stage) -> None:
    ordered(ten, P[0], P[5])
    forget(ten)
    deep = parts(ten, P[0], P[5])
    while parts(ten, P[0], P[5]):
        before = parts(ten, P[5], P[5])
        ten.pass_time(0.1)
    assert before >= deep


def test_two_that_carry_six_are_believed_as_many_as_may_be_lost_at_once(ten: Stage) -> None:
    for teller in P[:2]:
        ordered(ten, teller, *P[3:9])
    forget(ten)
    ten.pass_time(2.5)
    phases = {name: ten.run.pops[name].phase for name in P[3:9]}
    taken = [name for name, phase in phases.items() if phase is Phase.TAKEN_OVER]
    assert taken == P[3:6]
    assert set(phases.values()) == {Phase.TAKEN_OVER, Phase.RETURNING}
    assert all(ten.run.pops[name].posture.given == 1.0 for name in P[6:9])


def test_what_two_did_by_themselves_counts_against_the_quota(ten: Stage) -> None:
    for teller in P[:2]:
        claim(ten, teller, *P[3:8])
    forget(ten)
    ten.pass_time(3)
    assert away(ten) == P[3:6]
    assert all(ten.run.pops[name].posture.given == 1.0 for name in P[6:8])
    assert all("at most 3" in ten.run.pops[name].refusal for name in P[6:8])


def test_one_host_s_word_about_a_pop_nobody_sees_is_believed(ten: Stage) -> None:
    ordered(ten, P[0], P[5])
    ten.silent.add(P[5])
    forget(ten)
    ten.pass_time(2.5)
    assert ten.run.pops[P[5]].phase is Phase.TAKEN_OVER
