"""Stories in which more than one thing goes wrong."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.messages import Report
from controller.choreography.phases import Phase
from controller.world.observations import EpochSeen, HostReported
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops, three_pops
from tests.choreography.stage import Stage

TIMING = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}
OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
HALVES = {"198.18.0.0/23", "198.18.2.0/23", "2001:db8:1000::/47", "2001:db8:1002::/47"}
QUARTERS = {"198.18.0.0/24", "198.18.1.0/24", "198.18.2.0/24", "198.18.3.0/24"}
LHR_HALVES = {"198.18.4.0/23", "198.18.6.0/23"}


@pytest.fixture
def stage() -> Stage:
    """Three settled PoPs."""
    return settled(Stage(three_pops(**TIMING)))


@pytest.fixture
def four() -> Stage:
    """Four settled PoPs: after one death a quorum of two sees a second."""
    return settled(Stage(four_pops(**TIMING)))


def settled(stage: Stage) -> Stage:
    stage.pass_time(3)
    return stage


def test_when_a_survivor_dies_too_the_rest_advertise_quarters(four: Stage) -> None:
    four.silent.add(AMS)
    four.pass_time(2)
    assert not four.wire(FRA) & QUARTERS
    four.silent.add(LHR)
    four.pass_time(0.5)
    for pop in (FRA, MAD):
        # What carries clients stays until what replaces it has reached everybody.
        assert four.wire(pop) >= OWN | HALVES | QUARTERS | LHR_HALVES
    four.pass_time(TIMING["stagger"] + 0.5)
    for pop in (FRA, MAD):
        assert four.wire(pop) >= OWN | QUARTERS | LHR_HALVES
        assert not four.wire(pop) & HALVES
    assert four.run.pops[AMS].plan.settled
    assert set(four.given().values()) <= {"198.18.128.10", "198.18.132.10", "198.19.254.1"}


@pytest.mark.parametrize("heard", [0.0, 0.5])
def test_halves_stay_until_quarters_are_seen_and_seen_again(four: Stage, heard: float) -> None:
    four.silent.add(AMS)
    four.pass_time(2)
    four.silent.add(LHR)
    while not four.ordered(MAD) >= QUARTERS:
        four.pass_time(0.1)
    four.pass_time(heard)
    four.deaf = True
    four.pass_time(TIMING["stagger"] * 3)
    assert four.ordered(MAD) >= HALVES


def test_where_a_neighbor_takes_no_more_the_halves_make_room_for_the_quarters(four: Stage) -> None:
    pops = dict(four.fleet.pops)
    four.silent.add(AMS)
    four.pass_time(2)
    kinds = [sum(":" not in prefix for prefix in four.wire(FRA))]
    # Room for the quarters of ams and the halves of lhr, but not for the halves of ams as well.
    most = max(kinds) - 2 + 4 + 3
    small = {
        n: msgspec.structs.replace(u, max_prefixes=most) for n, u in pops[FRA].uplinks.items()
    }
    pops[FRA] = msgspec.structs.replace(pops[FRA], uplinks=small)
    four.fleet = msgspec.structs.replace(four.fleet, pops=pops)
    four.silent.add(LHR)
    four.pass_time(0.5)
    assert four.wire(FRA) >= OWN | QUARTERS | LHR_HALVES
    assert not four.wire(FRA) & HALVES
    assert four.wire(MAD) >= HALVES


def test_after_two_deaths_both_come_home(four: Stage) -> None:
    four.silent.add(AMS)
    four.pass_time(2)
    four.silent.add(LHR)
    four.pass_time(2)
    four.silent.clear()
    four.pass_time(60, every=0.25)
    assert {pop.phase for pop in four.run.pops.values()} == {Phase.HOME}
    assert four.wire(AMS) >= OWN | QUARTERS
    assert not (four.wire(FRA) | four.wire(MAD)) & (OWN | QUARTERS)


def test_a_lone_watcher_left_by_two_deaths_is_not_believed(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.silent.add(LHR)
    stage.pass_time(60, every=0.5)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    assert stage.run.pops[LHR].phase is Phase.HOME
    assert stage.wire(FRA) >= HALVES
    assert "198.18.0.10" not in stage.given().values()


def test_a_flapping_pop_is_latched_and_waits_twice_as_long_each_time(stage: Stage) -> None:
    waits = []
    for _ in range(5):
        stage.silent.add(AMS)
        stage.pass_time(2, every=0.25)
        assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
        stage.silent.clear()
        back = stage.now
        while stage.run.pops[AMS].phase is Phase.TAKEN_OVER:
            stage.pass_time(0.5, every=0.5)
        waits.append(round(stage.now - back))
    assert waits == [6, 10, 20, 40, 40]


def test_own_prefixes_off_all_wires_are_covered_with_the_same_length(stage: Stage) -> None:
    stage.bare.add(AMS)
    stage.pass_time(0.8)
    assert stage.run.pops[AMS].phase is Phase.COVERED
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= OWN
        assert not stage.wire(pop) & HALVES
    assert "198.18.0.10" not in stage.given().values()
    stage.bare.clear()
    stage.pass_time(30, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert stage.given()["c1"] == "198.18.0.10"


def test_prefixes_that_leave_the_wire_on_the_way_back_are_covered_again(stage: Stage) -> None:
    stage.bare.add(AMS)
    stage.pass_time(1)
    stage.bare.clear()
    while not stage.run.pops[AMS].posture.given:
        stage.pass_time(0.5)
    assert not stage.wire(FRA) & OWN
    stage.bare.add(AMS)
    stage.pass_time(0.8)
    assert stage.wire(FRA) >= OWN
    assert "198.18.0.10" not in stage.given().values()


def test_one_of_two_watchers_alone_changes_nothing(stage: Stage) -> None:
    before = dict(stage.orders)
    stage.unseen.add((FRA, AMS))
    stage.pass_time(5)
    assert stage.orders == before
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}


def test_a_watcher_that_stood_still_has_no_voice(stage: Stage) -> None:
    stage.paused.add(FRA)
    stage.unseen |= {(FRA, AMS), (LHR, AMS)}
    stage.pass_time(5)
    assert stage.run.pops[AMS].phase is Phase.HOME
    stage.paused.clear()
    stage.pass_time(0.2)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER


def test_old_sightings_do_not_count(stage: Stage) -> None:
    stage.unseen.add((FRA, AMS))
    stage.pass_time(1)
    stage.mute.add(FRA)
    stage.pass_time(4)
    stage.unseen.add((LHR, AMS))
    stage.pass_time(3)
    assert stage.run.pops[AMS].phase is Phase.HOME


def test_what_was_seen_before_the_broker_was_lost_brings_nobody_back(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.lose_broker()
    sent = dict(stage.orders)
    stage.pass_time(60, every=1)
    assert stage.orders == sent
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER


def test_an_unnoticed_silence_of_the_broker_brings_nobody_back_either(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.deaf = True
    sent = dict(stage.orders)
    stage.pass_time(60, every=1)
    assert stage.orders == sent


def test_the_last_serving_pop_keeps_the_shared_prefixes(stage: Stage) -> None:
    shared = {*stage.fleet.anycast_prefixes(), *stage.fleet.covers_at(LHR)}
    stage.silent.add(AMS)
    stage.pass_time(2)
    keepers = stage.orders[stage.fleet.bgp_hosts(LHR)[0]][1].keepers
    assert set(keepers.values()) == {"fra", "lhr"}
    stage.unfit.add(FRA)
    stage.pass_time(1)
    keepers = stage.orders[stage.fleet.bgp_hosts(LHR)[0]][1].keepers
    assert set(keepers) >= shared
    assert {keepers[prefix] for prefix in shared} == {"lhr"}
    stage.unfit.add(LHR)
    stage.pass_time(3)
    assert stage.wire(LHR) >= shared


def test_a_controller_starts_above_every_epoch_it_hears_of() -> None:
    stage = Stage(three_pops(**TIMING))
    stage.learn(EpochSeen(41))
    stage.pass_time(3)
    assert stage.run.epoch == 42
    assert {stamp.epoch for stamp, _ in stage.orders.values()} == {42}


def test_an_epoch_in_a_report_counts_as_heard(stage: Stage) -> None:
    host = stage.fleet.bgp_hosts(AMS)[0]
    again = Stage(three_pops(**TIMING))
    again.learn(HostReported(AMS, host, Report(instance="x", order_epoch=6)))
    again.pass_time(3)
    assert again.run.epoch == 7
