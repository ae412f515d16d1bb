"""Uplinks that come and go are left alone; lossy ones are left where a clean one is there."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.uplink_hold import Flap, held_down, without
from ambicast.model.identifiers import Family
from tests.agents_advertising.hosts import ANYCAST, OWN, OWN6, Host, adverts, order, stamp, watched

V4, V6 = Family.V4, Family.V6
BOTH = ("north", "south")


@pytest.fixture
def host():
    host = Host.healthy(OWN, OWN6, ANYCAST)
    host.wait(1.0)
    host.tell(watched())
    host.obey()
    return host


def carrier(host, *names):
    host.look(*host.desired.addresses, carrier=names, default_uplink=host.state.default_uplink)


def flap(host, times, every=5.0):
    """North loses and regains carrier so many times."""
    for _ in range(times):
        for names in (("south",), BOTH):
            host.now += every
            carrier(host, *names)
            host.tell(watched())


def quiet(host, seconds):
    for _ in range(round(seconds)):
        host.now += 1.0
        host.tell(watched())


def through(host, uplink):
    return {each.prefix for each in host.desired.advertisements if each.uplink == uplink}


def test_two_changes_are_no_flapping(host):
    flap(host, 1)
    assert through(host, "north") == {OWN, OWN6, ANYCAST}


def test_after_three_within_a_minute_nothing_goes_through_it(host):
    flap(host, 2)
    assert through(host, "north") == set()
    assert through(host, "south") == {OWN, OWN6, ANYCAST}
    assert [each.held_down for each in host.state.uplinks] == [True, False]


def test_three_changes_far_apart_are_none(host):
    for _ in range(4):
        for names in (("south",), BOTH):
            host.now += 31.0
            carrier(host, *names)
            host.tell(watched())
            assert not host.state.weather.held_down(host.now)


def test_it_comes_back_when_the_hold_down_is_over(host):
    flap(host, 2)
    quiet(host, 29)
    assert through(host, "north") == set()
    quiet(host, 2)
    assert through(host, "north") == {OWN, OWN6, ANYCAST}


def test_while_it_goes_on_the_wait_begins_anew(host):
    flap(host, 20)
    assert through(host, "north") == set()
    quiet(host, 31)
    assert through(host, "north") == {OWN, OWN6, ANYCAST}


def test_the_next_time_it_is_twice_as_long(host):
    flap(host, 2)
    quiet(host, 40)
    flap(host, 2)
    quiet(host, 54)
    assert through(host, "north") == set()
    quiet(host, 7)
    assert through(host, "north") == {OWN, OWN6, ANYCAST}


def test_after_a_quarter_of_an_hour_it_is_forgotten(host):
    flap(host, 2)
    quiet(host, 950)
    flap(host, 2)
    quiet(host, 31)
    assert through(host, "north") == {OWN, OWN6, ANYCAST}


def test_answers_leave_by_the_other_one(host):
    flap(host, 2)
    assert host.desired.default_uplink == dict.fromkeys(Family, "south")
    host.tell(watched(south=False))
    host.now += 0.4
    host.tell(watched(south=False))
    assert host.desired.default_uplink == dict.fromkeys(Family, "north")


def test_nor_do_they_go_back_to_it_because_the_other_one_is_lossy(host):
    flap(host, 2)
    host.tell(watched(loss={"north": 0.0, "south": 0.1}))
    assert host.desired.default_uplink == dict.fromkeys(Family, "south")


def test_where_both_flap_one_is_left(host):
    for _ in range(3):
        for names in ((), BOTH):
            host.now += 1.0
            carrier(host, *names)
            host.tell(watched())
    assert {each.prefix for each in host.desired.advertisements} == {OWN, OWN6, ANYCAST}
    assert len({each.uplink for each in host.desired.advertisements}) == 1


def test_a_family_that_flaps_is_held_down_alone(host):
    for _ in range(3):
        for up in (False, True):
            seen = watched()
            seen.working["north"][V6] = up
            for _ in range(8):
                host.now += 0.1
                host.tell(seen)
    assert OWN in through(host, "north")
    assert OWN6 not in through(host, "north")


def test_gaps_of_300_ms_do_not_count(host):
    for _ in range(10):
        for up in (False, True):
            host.now += 0.3
            host.tell(watched(north=up))
    assert through(host, "north") == {OWN, OWN6, ANYCAST}


def test_a_prefix_that_goes_nowhere_else_stays(host):
    flap(host, 2)
    only = msgspec.structs.replace(order(), advertisements=adverts(OWN, through=("north",)))
    host.give(only, stamp(2))
    host.obey()
    assert through(host, "north") == {OWN}


def test_nor_is_one_dropped_for_a_way_that_is_down():
    flaps = {("north", V4): Flap(up=True, until=9.0), ("south", V4): Flap(up=False)}
    held = {("north", V4)}
    assert without(adverts(OWN), held, flaps) == set(adverts(OWN))


def test_the_last_that_is_up_is_never_held_down():
    flaps = {("north", V4): Flap(up=True, until=9.0), ("south", V4): Flap(up=False, until=9.0)}
    assert held_down(flaps, 1.0) == {("south", V4)}


def test_of_two_the_one_whose_hold_ends_first_is_used():
    flaps = {("north", V4): Flap(up=True, until=9.0), ("south", V4): Flap(up=True, until=8.0)}
    assert held_down(flaps, 1.0) == {("north", V4)}


@pytest.mark.parametrize(
    ("north", "south", "chosen"),
    [
        (0.05, 0.009, "south"),
        (0.049, 0.0, "north"),
        (0.05, 0.01, "north"),
        (0.30, 0.30, "north"),
        (0.30, None, "north"),
    ],
)
def test_a_lossy_uplink_is_left_for_a_clean_one_only(host, north, south, chosen):
    loss = {"north": north} if south is None else {"north": north, "south": south}
    before = host.desired.advertisements
    host.tell(watched(loss=loss))
    assert host.desired.default_uplink == dict.fromkeys(Family, chosen)
    assert host.desired.advertisements == before


def test_it_does_not_swing_back(host):
    host.tell(watched(loss={"north": 0.06, "south": 0.0}))
    host.tell(watched(loss={"north": 0.0, "south": 0.04}))
    assert host.desired.default_uplink == dict.fromkeys(Family, "south")


def test_a_clean_uplink_that_does_not_work_is_no_way_out(host):
    host.tell(watched(south=False, loss={"north": 0.06, "south": 0.0}))
    assert host.desired.default_uplink == dict.fromkeys(Family, "north")


def test_loss_is_told_and_is_no_change_of_the_uplink(host):
    (since, _) = (each.since for each in host.state.uplinks)
    host.now += 1.0
    host.tell(watched(loss={"north": 0.1234, "south": 0.001}))
    assert [each.loss for each in host.state.uplinks] == [0.12, 0.0]
    assert host.state.uplinks[0].since == since
    host.tell(watched(loss={"north": 0.2}))
    assert (host.state.uplinks[0].loss, host.state.uplinks[0].since) == (0.2, since)
