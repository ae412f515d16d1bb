"""Stories of planned moves that are interrupted: by the operator, by faults, at every step."""

from __future__ import annotations

import pytest

from controller.choreography.phases import Phase
from controller.choreography.posture import Home
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage

TIMING = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}
OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
HALVES = {"198.18.0.0/23", "198.18.2.0/23", "2001:db8:1000::/47", "2001:db8:1002::/47"}
STEPS = ("dns-stop", "ttl-wait", "cover", "shutdown", "withdraw")
LONG = 40.0


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(**TIMING))
    stage.pass_time(3)
    return stage


def until_step(stage: Stage, name: str) -> None:
    """Goes on until AMS is in the step of this name."""
    for _ in range(400):
        stage.pass_time(0.1)
        plan = stage.run.pops[AMS].plan
        if plan and any(each.name == name and each.state != "waiting" for each in plan.steps):
            return
    pytest.fail(f"never came to {name}: {stage.run.pops[AMS]}")


@pytest.mark.parametrize("step", STEPS)
def test_an_undrain_at_any_step_leads_home_and_never_off_the_wire(stage: Stage, step: str) -> None:
    stage.drain(AMS)
    until_step(stage, step)
    stage.undrain(AMS)
    for _ in range(160):
        stage.pass_time(0.25, every=0.25)
        assert any(stage.wire(pop) >= OWN for pop in (AMS, FRA, LHR))
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert stage.run.pops[AMS].posture.home is Home.HERE
    assert stage.given()["c1"] == "198.18.0.10"
    assert not stage.wire(FRA) & OWN


@pytest.mark.parametrize("step", STEPS)
def test_a_pop_silent_in_the_middle_of_a_drain_is_taken_over(stage: Stage, step: str) -> None:
    stage.drain(AMS)
    until_step(stage, step)
    was_drained = stage.run.pops[AMS].phase is Phase.DRAINED
    stage.silent.add(AMS)
    stage.pass_time(0.5)
    assert stage.wire(FRA) >= OWN
    if not was_drained:
        assert stage.wire(FRA) >= HALVES
    stage.silent.clear()
    stage.pass_time(LONG, every=0.25)
    # The operator still wants it empty.
    assert stage.run.pops[AMS].phase is Phase.DRAINED


@pytest.mark.parametrize("step", ["home-advertises", "survivor-leaves", "dns-return"])
def test_a_pop_silent_on_its_way_back_is_taken_over_one_rung_deeper(
    stage: Stage, step: str
) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.silent.clear()
    until_step(stage, step)
    stage.silent.add(AMS)
    stage.pass_time(0.5)
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= OWN | {"198.18.0.0/24", "198.18.3.0/24"}
    assert "198.18.0.10" not in stage.given().values()


@pytest.mark.parametrize("step", STEPS[:4])
def test_a_helper_lost_in_a_drain_never_leaves_the_prefix_alone(stage: Stage, step: str) -> None:
    stage.drain(AMS)
    until_step(stage, step)
    stage.unfit.add(FRA)
    for _ in range(80):
        stage.pass_time(0.25, every=0.25)
        assert stage.wire(AMS) >= OWN or stage.wire(LHR) >= OWN
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(LHR) >= OWN


@pytest.mark.parametrize("step", STEPS[:4])
def test_a_drain_is_given_up_when_nobody_else_is_left(stage: Stage, step: str) -> None:
    stage.drain(AMS)
    until_step(stage, step)
    stage.unfit |= {FRA, LHR}
    stage.pass_time(30, every=0.25)
    assert stage.wire(AMS) >= OWN | set(stage.fleet.anycast_prefixes())
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert "fewest PoPs" in stage.run.pops[AMS].refusal
    stage.unfit.clear()
    stage.pass_time(LONG, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.DRAINED


def test_a_drain_asked_while_taken_over_waits_for_the_pop_and_then_empties_it(
    stage: Stage,
) -> None:
    stage.silent.add(AMS)
    stage.pass_time(1)
    stage.drain(AMS)
    stage.pass_time(2)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    stage.silent.clear()
    stage.pass_time(15)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()
    assert stage.wire(FRA) >= OWN | HALVES
    stage.undrain(AMS)
    stage.pass_time(LONG, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.HOME


def test_two_wishes_that_refuse_each_other_do_not_keep_both_away(stage: Stage) -> None:
    stage.unfit |= {AMS, FRA}
    stage.pass_time(1)
    stage.drain(AMS)
    stage.drain(FRA)
    stage.pass_time(1)
    stage.unfit.clear()
    stage.pass_time(60, every=0.25)
    phases = {stage.run.pops[AMS].phase, stage.run.pops[FRA].phase}
    assert phases == {Phase.DRAINED}


def test_a_failing_pop_in_a_drain_is_covered_at_once(stage: Stage) -> None:
    stage.drain(AMS)
    until_step(stage, "ttl-wait")
    stage.unfit.add(AMS)
    stage.pass_time(0.3)
    assert stage.wire(FRA) >= OWN
    stage.unfit.clear()
    stage.pass_time(LONG, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
