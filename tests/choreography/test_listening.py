"""Before a controller decides, it has listened: to the broker, not to its own clock."""

from __future__ import annotations

import msgspec

from ambicast.contract.messages import Presence, Report
from controller.choreography.adoption import heard_enough
from controller.world.belief import World, fold
from controller.world.observations import BusChanged, HostPresent, HostReported, HostSighted
from tests.choreography.fleets import AMS, three_pops
from tests.choreography.stage import Stage

FLEET = three_pops()


def heard(*, everybody: bool) -> Stage:
    """A stage whose broker comes twenty seconds late, with what it has retained."""
    stage = Stage(FLEET, connected=False)
    stage.now += 20.0
    stage.learn(BusChanged(connected=True))
    for pop, host in FLEET.hosts():
        if everybody or pop.name == AMS:
            stage.learn(HostPresent(pop.name, host, Presence(online=True, instance="i", since=0)))
            stage.learn(HostReported(pop.name, host, Report(instance="i")))
            stage.learn(HostSighted(pop.name, host, stage._sightings(pop.name)))
    return stage


def enough(stage: Stage, after: float) -> bool:
    return heard_enough(stage.world, FLEET, stage.now + after) is None


def test_a_broker_that_comes_late_is_listened_to_all_the_same() -> None:
    stage = heard(everybody=True)
    assert not enough(stage, 0.1)
    assert not enough(stage, 1.4)
    assert enough(stage, 1.6)


def test_some_that_are_not_heard_are_waited_for_from_the_connection_on() -> None:
    stage = heard(everybody=False)
    assert not enough(stage, 4.9)
    assert enough(stage, 5.1)


def test_a_broker_lost_and_found_before_the_first_look_is_listened_to_anew() -> None:
    stage = heard(everybody=True)
    stage.now += 1.0
    stage.learn(BusChanged(connected=False))
    stage.now += 10.0
    assert not enough(stage, 0.0)
    stage.learn(BusChanged(connected=True))
    assert not enough(stage, 1.4)
    assert enough(stage, 1.6)


def test_being_told_twice_that_it_is_there_changes_nothing() -> None:
    stage = heard(everybody=True)
    stage.world = fold(stage.world, BusChanged(connected=True), stage.now + 1.4)
    assert enough(stage, 1.6)


def test_a_world_of_before_this_was_known_counts_from_its_beginning() -> None:
    raw = msgspec.json.decode(msgspec.json.encode(heard(everybody=True).world))
    del raw["connected_at"]
    old = msgspec.convert(raw, World)
    assert heard_enough(old, FLEET, old.began_at + 1.4) is not None
    assert heard_enough(old, FLEET, old.began_at + 1.6) is None
