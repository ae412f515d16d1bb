"""Stories of a PoP that falls silent and comes back."""

from __future__ import annotations

import pytest

from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage

HALVES = {"198.18.0.0/23", "198.18.2.0/23", "2001:db8:1000::/47", "2001:db8:1002::/47"}
OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
ANYCAST_HALVES = {"198.19.254.0/24", "198.19.255.0/24", "2001:db8:a::/48", "2001:db8:b::/48"}


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(5)
    return stage


def test_a_healthy_fleet_gives_every_group_its_nearest_pop(stage: Stage) -> None:
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    assert stage.given() == {
        "c1": "198.18.0.10",
        "c2": "198.18.128.10",
        "c3": "198.18.4.10",
        "default": "198.19.254.1",
    }
    assert stage.wire(AMS) >= OWN
    assert "198.18.0.0/17" not in stage.wire(AMS)
    assert "198.18.0.0/17" in stage.wire(FRA)


def test_survivors_get_same_length_and_both_halves_in_one_order(stage: Stage) -> None:
    stage.silent.add(AMS)
    before = len(stage.history)
    stage.pass_time(0.1)
    for pop in (FRA, LHR):
        assert stage.ordered(pop) >= OWN | HALVES | ANYCAST_HALVES
    orders = [c for _, c in stage.history[before:] if type(c).__name__ == "PublishOrder"]
    assert sorted(each.host for each in orders) == ["ams-1", "fra-1", "lhr-1"]
    assert "198.18.0.10" not in stage.given().values()
    stage.pass_time(0.3)
    assert stage.wire(FRA) >= OWN | HALVES | ANYCAST_HALVES
    assert [each.pop for each in stage.happened("plan.settled")] == ["ams"]


def test_a_return_puts_home_first_and_lets_survivors_leave_one_by_one(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(30)
    stage.silent.clear()
    seen: list[tuple[bool, bool, bool, str]] = []
    for _ in range(600):
        stage.pass_time(0.1)
        state = (
            stage.wire(AMS) >= HALVES,
            stage.wire(LHR) >= HALVES,
            stage.wire(FRA) >= HALVES,
            stage.given()["c1"],
        )
        if not seen or seen[-1] != state:
            seen.append(state)
    home, elsewhere = "198.18.0.10", "198.18.128.10"
    assert seen == [
        (False, True, True, elsewhere),
        (True, True, True, elsewhere),
        (True, False, True, elsewhere),
        (True, False, False, elsewhere),
        (True, False, False, home),
    ]
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert stage.wire(AMS) >= HALVES | ANYCAST_HALVES


def test_a_watcher_that_sees_nobody_has_no_voice(stage: Stage) -> None:
    stage.blind.add(FRA)
    stage.pass_time(10)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}


def test_silence_of_everything_changes_nothing(stage: Stage) -> None:
    orders, steering = dict(stage.orders), stage.run.steering
    stage.deaf = True
    stage.pass_time(600, every=1)
    assert stage.orders == orders
    assert stage.run.steering == steering
