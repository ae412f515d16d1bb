"""An agent that restarts in good order is silent to watchers, but its PoP is not dead."""

from __future__ import annotations

import pytest

from ambicast.contract.messages import Presence
from controller.choreography.phases import Phase
from controller.world.condition import RESTART_GRACE
from controller.world.observations import HostPresent
from tests.choreography.fleets import AMS, three_pops
from tests.choreography.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(5)
    return stage


def say(stage: Stage, *, leaving: bool) -> None:
    """The agent at ams is gone, by its own word or by its last will."""
    presence = Presence(online=False, leaving=leaving, instance="i", since=0)
    stage.learn(HostPresent(AMS, stage.fleet.bgp_hosts(AMS)[0], presence))
    stage.silent.add(AMS)


def test_a_good_bye_is_not_a_death(stage: Stage) -> None:
    say(stage, leaving=True)
    stage.pass_time(RESTART_GRACE - 1)
    assert stage.run.pops[AMS].phase is Phase.HOME


def test_a_good_bye_without_a_return_is_one(stage: Stage) -> None:
    say(stage, leaving=True)
    stage.pass_time(RESTART_GRACE + 1)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER


def test_a_last_will_buys_no_time(stage: Stage) -> None:
    say(stage, leaving=False)
    stage.pass_time(0.2)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
