"""A PoP lost while nobody could help is picked up when somebody can."""

from __future__ import annotations

import pytest

from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops, three_pops
from tests.choreography.stage import Stage

TIMING = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}
OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
HALVES = {"198.18.0.0/23", "198.18.2.0/23", "2001:db8:1000::/47", "2001:db8:1002::/47"}


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(**TIMING))
    stage.pass_time(3)
    return stage


def test_a_pop_lost_beside_unfit_ones_is_taken_over_by_the_first_that_recovers(
    stage: Stage,
) -> None:
    stage.unfit |= {FRA, LHR}
    stage.pass_time(1)
    stage.silent.add(AMS)
    stage.pass_time(5)
    assert not (stage.wire(FRA) | stage.wire(LHR)) & HALVES
    stage.unfit.discard(LHR)
    stage.pass_time(20, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    assert stage.wire(LHR) >= OWN | HALVES
    assert "198.18.0.10" not in stage.given().values()


def test_a_pop_whose_only_helper_failed_is_picked_up_by_the_next_that_serves(
    stage: Stage,
) -> None:
    stage.unfit.add(FRA)
    stage.pass_time(1)
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert stage.run.pops[AMS].posture.helpers == (LHR,)
    stage.unfit.add(LHR)
    stage.pass_time(1)
    assert stage.run.pops[AMS].posture.helpers in {(), (LHR,)}
    stage.unfit.discard(FRA)
    stage.pass_time(20, every=0.25)
    assert FRA in stage.run.pops[AMS].posture.helpers
    assert stage.wire(FRA) >= OWN | HALVES


def test_both_come_home_in_the_end() -> None:
    stage = Stage(four_pops(**TIMING))
    stage.pass_time(3)
    stage.unfit |= {FRA, LHR, MAD}
    stage.silent.add(AMS)
    stage.pass_time(5)
    stage.unfit.clear()
    stage.pass_time(5)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    stage.silent.clear()
    stage.pass_time(90, every=0.25)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    assert stage.given()["c1"] == "198.18.0.10"
