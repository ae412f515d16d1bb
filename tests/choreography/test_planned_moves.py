"""Stories of a drain and of the way back."""

from __future__ import annotations

import pytest

from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage

OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}


@pytest.fixture
def stage() -> Stage:
    """A settled fleet with short waits."""
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(5)
    return stage


def steps(stage: Stage) -> list[tuple[float, str]]:
    """When each step was sent, relative to the first."""
    sent = stage.happened("step.sent")
    return [(round(each.at - sent[0].at, 1), each.text.split(":")[0]) for each in sent]


def test_a_drain_stops_answers_first_and_withdraws_last(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(20)
    assert steps(stage) == [
        (0.0, "drain/dns-stop"),
        (0.1, "drain/ttl-wait"),
        (3.1, "drain/cover"),
        (3.2, "drain/shutdown"),
        (4.2, "drain/withdraw"),
    ]
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()
    assert stage.wire(FRA) >= OWN
    assert "198.18.0.10" not in stage.given().values()
    host = stage.fleet.bgp_hosts(AMS)[0]
    assert stage.orders[host][1].terminate == stage.fleet.service_addresses()


def test_a_drained_pop_that_dies_changes_nothing(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(20)
    wires = stage.wire(FRA), stage.wire(LHR)
    stage.silent.add(AMS)
    stage.pass_time(20)
    assert (stage.wire(FRA), stage.wire(LHR)) == wires
    assert stage.run.pops[AMS].phase is Phase.DRAINED


def test_an_undrain_advertises_home_before_survivors_leave(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(20)
    stage.undrain(AMS)
    seen: list[tuple[bool, bool, bool]] = []
    for _ in range(300):
        stage.pass_time(0.1)
        state = tuple(stage.wire(pop) >= OWN for pop in (AMS, LHR, FRA))
        if not seen or seen[-1] != state:
            seen.append(state)
    assert seen == [
        (False, True, True),
        (True, True, True),
        (True, False, True),
        (True, False, False),
    ]
    assert stage.given()["c1"] == "198.18.0.10"
    assert stage.run.pops[AMS].phase is Phase.HOME


def test_a_second_drain_waits_until_the_first_has_settled(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(1)
    stage.drain(FRA)
    stage.pass_time(1)
    assert stage.run.pops[FRA].phase is Phase.HOME
    assert "ams is not settled" in stage.run.pops[FRA].refusal
    stage.pass_time(20)
    assert stage.run.pops[FRA].phase is Phase.DRAINED
    assert stage.wire(LHR) >= OWN


def test_a_failing_service_is_covered_with_the_same_length_only(stage: Stage) -> None:
    stage.unfit.add(AMS)
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.COVERED
    assert stage.wire(FRA) >= OWN
    assert "198.18.0.0/23" not in stage.wire(FRA)
    assert "198.18.0.10" not in stage.given().values()
    stage.unfit.clear()
    stage.pass_time(40)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert not stage.wire(FRA) & OWN
