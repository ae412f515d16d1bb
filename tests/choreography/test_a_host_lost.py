"""A PoP of two hosts, one of which is dead for good: its last report holds nothing up."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.messages import Sightings
from ambicast.model.identifiers import HostName, PopName, Role
from controller.choreography.phases import Phase
from controller.world.observations import HostPresent, HostReported, HostSighted, Observation
from tests.choreography.fleets import AMS, FRA, three_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 1.0, "tail": 0.5, "stagger": 1.0, "settle_down": 3.0, "shutdown_wait": 0.5}
SECOND = HostName("fra-2")


class Crowded(Stage):
    """fra has two hosts; those in ``dead`` are neither heard nor seen."""

    def __init__(self) -> None:
        self.dead: set[str] = set()
        fleet = three_pops(**QUICK)
        hosts = {**fleet.pops[FRA].hosts, SECOND: (Role.BGP,)}
        fra = msgspec.structs.replace(fleet.pops[FRA], hosts=hosts)
        super().__init__(msgspec.structs.replace(fleet, pops={**fleet.pops, FRA: fra}))

    def learn(self, observation: Observation) -> None:
        of_host = isinstance(observation, HostPresent | HostReported | HostSighted)
        if not of_host or observation.host not in self.dead:
            super().learn(observation)

    def _sightings(self, watcher: PopName) -> Sightings:
        told = super()._sightings(watcher)
        seen = tuple(
            msgspec.structs.replace(each, host=host, up=each.up and host not in self.dead)
            for each in told.seen
            for host in self.fleet.bgp_hosts(PopName(each.pop))
        )
        return msgspec.structs.replace(told, seen=seen)


@pytest.fixture
def stage() -> Crowded:
    stage = Crowded()
    stage.pass_time(3)
    return stage


def at_home(stage: Stage) -> None:
    stage.pass_time(40, every=0.25)
    assert {each.phase for each in stage.run.pops.values()} == {Phase.HOME}
    assert stage.given()["c1"] == "198.18.0.10"


def test_a_pop_with_one_host_dead_comes_home_with_the_other(stage: Crowded) -> None:
    stage.dead.add(SECOND)
    stage.pass_time(2)
    assert stage.run.pops[FRA].phase is Phase.HOME
    stage.silent.add(FRA)
    stage.pass_time(3)
    assert stage.run.pops[FRA].phase is Phase.TAKEN_OVER
    stage.silent.clear()
    at_home(stage)


def test_a_helper_that_loses_a_host_lets_the_return_finish(stage: Crowded) -> None:
    stage.silent.add(AMS)
    stage.pass_time(3)
    assert FRA in stage.run.pops[AMS].posture.helpers
    stage.dead.add(SECOND)
    stage.pass_time(2)
    stage.silent.clear()
    at_home(stage)


def test_a_host_that_lives_and_is_behind_is_waited_for(stage: Crowded) -> None:
    stage.silent.add(AMS)
    stage.pass_time(3)
    stage.silent.clear()
    Stage.learn(stage, HostReported(FRA, SECOND, stage._report(FRA, SECOND)))
    stage._tell = lambda told: (  # type: ignore[method-assign]
        None if told.host == SECOND else stage.learn(told)
    )
    stage.pass_time(40, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.RETURNING
    assert "fra" in {step.note.split(":")[0] for step in stage.run.pops[AMS].plan.steps}  # type: ignore[union-attr]


def test_what_a_dead_host_last_advertised_is_not_found_at_a_start(stage: Crowded) -> None:
    stage.silent.add(AMS)
    stage.pass_time(3)
    stage.dead.add(SECOND)
    stage.pass_time(2)
    stage.silent.clear()
    at_home(stage)
    stage.dead.clear()
    restarted(stage, None)  # the broker has retained its last report
    stage.dead.add(SECOND)
    stage.pass_time(2.5)
    assert {each.phase for each in stage.run.pops.values()} == {Phase.HOME}
