"""A controller that comes back to a fleet file in which a PoP is missing, or new."""

from __future__ import annotations

from controller.choreography.phases import Phase
from controller.choreography.resuming import resumed
from controller.choreography.run import fresh
from tests.choreography.fleets import AMS, FRA, four_pops, three_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}


def test_a_helper_that_is_no_longer_in_the_fleet_is_forgotten() -> None:
    stage = Stage(four_pops(**QUICK))
    stage.pass_time(3)
    stage.silent.add(AMS)
    stage.pass_time(3)
    assert "mad" in stage.run.pops[AMS].posture.helpers
    stage.fleet = three_pops(**QUICK)
    run = resumed(stage.run, fresh(stage.fleet, 1, stage.now), stage.fleet)
    stage.world = stage.world.__class__(began_at=stage.now)
    restarted(stage, run)
    stage.silent.clear()
    stage.pass_time(60, every=0.5)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    assert not stage.wire(FRA) & {"198.18.0.0/22"}


def test_a_pop_that_is_new_to_the_fleet_begins() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(3)
    stage.fleet = four_pops(**QUICK)
    restarted(stage, resumed(stage.run, fresh(stage.fleet, 1, stage.now), stage.fleet))
    stage.pass_time(10)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    assert len(stage.run.pops) == 4
