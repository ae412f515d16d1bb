"""Stories in which the controller must distrust what it is told."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.model.fleet import LostAtOnce
from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, four_pops, three_pops
from tests.choreography.stage import Stage, restarted

OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
EVERYONE = (AMS, FRA, LHR)


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(3)
    return stage


def kept(stage: Stage) -> dict[str, set[str]]:
    """What each PoP's latest order lets it keep whatever its checks say."""
    return {pop: set(stage.orders[stage.fleet.bgp_hosts(pop)[0]][1].keepers) for pop in EVERYONE}


def test_where_every_check_fails_everybody_keeps_everything(stage: Stage) -> None:
    answers = stage.given()
    stage.unfit |= set(EVERYONE)
    stage.pass_time(1)
    for pop in EVERYONE:
        assert kept(stage)[pop] == stage.ordered(pop)
    assert stage.given() == answers
    stage.unfit.clear()
    stage.pass_time(60, every=0.5)
    assert not any(kept(stage).values())
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}


def test_one_that_can_serve_ends_the_distrust(stage: Stage) -> None:
    stage.unfit |= set(EVERYONE)
    stage.pass_time(1)
    stage.unfit.discard(LHR)
    stage.pass_time(1)
    assert kept(stage)[AMS] == set()
    assert kept(stage)[LHR] >= set(stage.fleet.anycast_prefixes())


def test_more_losses_at_once_than_the_limit_are_not_believed() -> None:
    fleet = four_pops(ttl=2, tail=1, settle_down=5)
    limits = msgspec.structs.replace(
        fleet.limits, pops_lost_at_once=LostAtOnce(count=1, share=0.0)
    )
    stage = Stage(msgspec.structs.replace(fleet, limits=limits))
    stage.pass_time(3)
    stage.silent |= {AMS}
    stage.pass_time(1)
    stage.silent |= {FRA}
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    assert stage.run.pops[FRA].phase is Phase.HOME
    assert "2 silent within 10 s (ams, fra); at most 1" in stage.run.pops[FRA].refusal
    stage.pass_time(15)
    assert stage.run.pops[FRA].phase is Phase.TAKEN_OVER


def test_a_moment_without_a_wire_moves_nothing(stage: Stage) -> None:
    stage.bare.add(AMS)
    stage.pass_time(0.3)
    stage.bare.clear()
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert not stage.wire(FRA) & OWN


def test_a_controller_without_memory_leaves_a_drained_pop_empty(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(15)
    assert stage.wire(AMS) == set()
    restarted(stage, None)
    stage.pass_time(30, every=0.5)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()
    stage.undrain(AMS)
    stage.pass_time(60, every=0.5)
    assert stage.run.pops[AMS].phase is Phase.HOME


def test_a_drained_pop_comes_back_when_nobody_else_serves(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(15)
    stage.unfit |= {FRA, LHR}
    stage.pass_time(5)
    assert stage.wire(AMS) >= OWN | set(stage.fleet.anycast_prefixes())


def test_anycast_goes_one_rung_deeper_at_the_next_loss(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert stage.run.anycast_depth == 1
    stage.silent.clear()
    stage.pass_time(60, every=0.5)
    stage.silent.add(FRA)
    stage.pass_time(1)
    assert stage.run.anycast_depth == 2
