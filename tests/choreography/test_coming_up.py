"""Sessions of two families come up one after the other; that is no failure of the later one."""

from __future__ import annotations

from ambicast.model.identifiers import Family
from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, three_pops
from tests.choreography.stage import Stage

QUICK = {"ttl": 2, "tail": 1, "stagger": 3, "settle_down": 5, "shutdown_wait": 1}


def test_a_pop_whose_second_family_comes_two_seconds_later_goes_straight_home() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.bare_in.add((AMS, Family.V6))
    stage.pass_time(4)
    stage.bare_in.clear()
    stage.pass_time(2)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert stage.run.pops[AMS].plan is None
    assert not stage.happened("pop.failed")


def test_a_family_that_never_comes_does_not_keep_the_other_from_serving() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.bare_in.add((AMS, Family.V6))
    stage.pass_time(15)
    assert stage.run.pops[AMS].phase is Phase.COVERED
    assert "198.18.0.10" in stage.given().values()
