"""When the controller counts as away, and how many losses are believed."""

from __future__ import annotations

import pytest

from agents.advertising.away import Contact, heard, ordered
from agents.advertising.contingency import within_quota
from agents.advertising.observations import BusChanged, ControllerSeen, Tick
from ambicast.model.identifiers import Family

LEASE = 3.0
V4, V6 = Family.V4, Family.V6


def contact(*told):
    """(instant, observation), one after the other."""
    found = Contact()
    for at, observation in told:
        found = heard(found, observation, at)
    return found


CALM = ((0.0, Tick()), (0.5, BusChanged(connected=True)), (1.0, ControllerSeen(online=True)))


def test_a_controller_that_beats_is_there():
    assert not contact(*CALM).away(LEASE, 3.9)


def test_without_a_new_beat_it_is_away_when_the_lease_ends():
    assert contact(*CALM).away(LEASE, 4.0)


def test_its_last_will_counts_at_once():
    assert contact(*CALM, (2.0, ControllerSeen(online=False))).away(LEASE, 2.0)


def test_a_new_beat_brings_it_back():
    gone = contact(*CALM, (2.0, ControllerSeen(online=False)))
    assert not heard(gone, ControllerSeen(online=True), 2.5).away(LEASE, 2.6)


def test_a_broker_that_is_lost_counts_after_a_moment():
    lost = contact(*CALM, (2.0, BusChanged(connected=False)))
    assert not lost.away(LEASE, 2.2)
    assert lost.away(LEASE, 2.3)


def test_a_broker_lost_again_is_no_news():
    twice = (2.0, BusChanged(connected=False)), (2.2, BusChanged(connected=False))
    assert contact(*CALM, *twice).away(LEASE, 2.3)


def test_a_broker_that_is_back_at_once_was_never_away():
    there = contact(*CALM, (2.0, BusChanged(connected=False)), (2.2, BusChanged(connected=True)))
    assert not there.away(LEASE, 2.5)


@pytest.mark.parametrize(
    "told",
    [
        [(0.0, Tick())],
        [(0.0, BusChanged(connected=False))],
        [(0.0, BusChanged(connected=True))],
        [(0.0, ControllerSeen(online=False))],
    ],
)
def test_an_agent_that_has_just_begun_waits_a_whole_lease(told):
    begun = contact(*told)
    assert not begun.away(LEASE, 2.9)
    assert begun.away(LEASE, 3.0)


def test_before_anything_happened_nobody_is_away():
    assert not Contact().away(LEASE, 1e9)


def test_a_new_order_is_a_sign_of_life():
    assert not ordered(contact(*CALM), 3.5).away(LEASE, 6.0)


def test_an_order_from_disk_is_none():
    begun = contact((0.0, Tick()))
    assert ordered(begun, 0.0) == begun


def lost(**pops):
    return {(name, kind): at for name, at in pops.items() for kind in Family}


def test_up_to_the_quota_all_are_believed():
    assert within_quota(lost(a=1.0, b=1.1), set(), 2) == {"a", "b"}


def test_beyond_it_the_first_in_name_order():
    assert within_quota(lost(d=1.0, c=1.0, b=1.0, a=1.0), set(), 2) == {"a", "b"}


def test_losses_more_than_ten_seconds_apart_are_not_one_event():
    assert within_quota(lost(a=1.0, b=12.0, c=23.0), set(), 1) == {"a", "b", "c"}


def test_who_was_covered_already_keeps_its_place():
    assert within_quota(lost(a=1.2, b=1.1, c=1.0, d=1.0), {"c", "d"}, 2) == {"c", "d"}


def test_time_alone_makes_nobody_believed():
    gone = lost(a=1.0, b=1.0, c=1.0)
    assert within_quota(gone, {"a", "b"}, 2) == {"a", "b"}


def test_when_enough_are_seen_again_the_rest_is():
    assert within_quota(lost(c=1.0), {"a", "b"}, 2) == {"c"}


def test_a_pop_lost_in_both_families_is_one():
    gone = {("a", V4): 1.0, ("a", V6): 1.0, ("b", V4): 1.0}
    assert within_quota(gone, set(), 2) == {"a", "b"}
