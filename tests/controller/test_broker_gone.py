"""I8: a broker that is gone, or hangs, in the middle of anything changes nothing at all."""

from __future__ import annotations

import pytest

from controller.world.liveness import STALE_AFTER
from controller.world.observations import BusChanged, DrainAsked, Tick, UndrainAsked
from tests.choreography.fleets import AMS
from tests.controller.scenes import Clock, Diary, Troupe

LOOK = 0.2
MOMENTS = range(0, 40, 3)


@pytest.fixture
def troupe():
    troupe = Troupe(Diary(), Clock())
    troupe.settle()
    return troupe


def play(troupe, turns):
    for _ in range(turns):
        troupe.clock.now += LOOK
        troupe.report()
        troupe.drain_mailbox()


def silence(troupe, seconds):
    """Time goes by, and nobody is heard."""
    for _ in range(int(seconds / LOOK)):
        troupe.clock.now += LOOK
        troupe.loop.turn([Tick()])


def sent(troupe):
    return troupe.diary.read("send")


def gone(troupe):
    troupe.loop.tell(BusChanged(connected=False))
    troupe.drain_mailbox()


def phase(troupe):
    return troupe.loop.view().run.pops[AMS].phase


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_drain_stands_still_where_it_was_and_goes_on_afterwards(troupe, moment):
    troupe.loop.tell(DrainAsked(AMS, "repairs"))
    play(troupe, moment)
    gone(troupe)
    before, orders = list(sent(troupe)), dict(troupe.stage.orders)
    silence(troupe, 120)
    assert sent(troupe) == before
    assert troupe.stage.orders == orders
    troupe.loop.tell(BusChanged(connected=True))
    play(troupe, 150)
    assert phase(troupe) == "drained"


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_undrain_stands_still_too(troupe, moment):
    troupe.loop.tell(DrainAsked(AMS, "repairs"))
    play(troupe, 150)
    troupe.loop.tell(UndrainAsked(AMS, "done"))
    play(troupe, moment)
    gone(troupe)
    before = list(sent(troupe))
    silence(troupe, 120)
    assert sent(troupe) == before
    troupe.loop.tell(BusChanged(connected=True))
    play(troupe, 150)
    assert phase(troupe) == "home"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_takeover_stands_still_and_is_finished_afterwards(troupe, moment):
    troupe.stage.silent.add(AMS)
    play(troupe, moment)
    gone(troupe)
    before = list(sent(troupe))
    silence(troupe, 120)
    assert sent(troupe) == before
    troupe.loop.tell(BusChanged(connected=True))
    play(troupe, 60)
    assert phase(troupe) == "taken-over"


def test_wishes_of_operators_wait_for_the_broker(troupe):
    gone(troupe)
    before = list(sent(troupe))
    troupe.loop.tell(DrainAsked(AMS, "repairs"))
    troupe.drain_mailbox()
    silence(troupe, 60)
    assert sent(troupe) == before
    troupe.loop.tell(BusChanged(connected=True))
    play(troupe, 150)
    assert phase(troupe) == "drained"


def test_a_broker_that_hangs_finds_nobody_dead(troupe):
    """It says nothing for as long as the bus takes to find out, and then for an hour."""
    before = list(sent(troupe))
    silence(troupe, 12)
    assert sent(troupe) == before
    gone(troupe)
    silence(troupe, 3600)
    assert sent(troupe) == before
    assert troupe.loop.view().conditions[AMS].condition == "unknown"
    troupe.loop.tell(BusChanged(connected=True))
    play(troupe, 30)
    assert phase(troupe) == "home"
    postures = {each.posture.home for each in troupe.loop.view().run.pops.values()}
    assert postures == {"here"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_broker_that_hangs_during_a_drain_stops_it_as_soon_as_the_last_word_is_old(
    troupe, moment
):
    troupe.loop.tell(DrainAsked(AMS, "repairs"))
    play(troupe, moment)
    silence(troupe, STALE_AFTER + LOOK)
    before = list(sent(troupe))
    silence(troupe, 60)
    assert sent(troupe) == before
    play(troupe, 150)
    assert phase(troupe) == "drained"


def test_a_broker_that_comes_and_goes_all_the_time_brings_no_news(troupe):
    before = list(sent(troupe))
    for _ in range(50):
        gone(troupe)
        silence(troupe, 0.4)
        troupe.loop.tell(BusChanged(connected=True))
        play(troupe, 1)
    assert sent(troupe) == before
