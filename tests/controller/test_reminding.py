"""Our last order is said again where a host answers something else, but never in a storm."""

from __future__ import annotations

import pytest

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome
from controller.fleet.reminding import AGAIN_AFTER, Reminders

OURS = Stamp(3, 7)


@pytest.fixture
def reminders():
    reminders = Reminders()
    reminders.sent("ams-1", OURS)
    return reminders


@pytest.mark.parametrize("stamp", [Stamp(), Stamp(3, 6), Stamp(2, 99), Stamp(9, 1)])
def test_a_refusal_of_anything_else_is_answered_with_our_order_once(reminders, stamp):
    reminders.answered("ams-1", stamp, Outcome.REFUSED)
    assert reminders.due(0.0) == ["ams-1"]
    assert reminders.due(1000.0) == []


def test_another_order_that_was_accepted_is_replaced_too(reminders):
    reminders.answered("ams-1", Stamp(2, 9), Outcome.ACCEPTED)
    assert reminders.due(0.0) == ["ams-1"]


def test_a_late_answer_to_an_order_of_ours_means_nothing(reminders):
    reminders.answered("ams-1", Stamp(3, 6), Outcome.ACCEPTED)
    assert reminders.due(0.0) == []


@pytest.mark.parametrize("outcome", Outcome)
def test_a_host_that_refuses_our_own_order_is_not_told_it_again_and_again(reminders, outcome):
    reminders.answered("ams-1", OURS, outcome)
    assert reminders.due(0.0) == []


def test_at_most_once_a_minute_and_what_was_due_earlier_is_not_forgotten(reminders):
    said = []
    for second in range(200):
        if second < 100:
            reminders.answered("ams-1", Stamp(), Outcome.REFUSED)
        said += [second for _ in reminders.due(float(second))]
    assert said == [0, AGAIN_AFTER, 2 * AGAIN_AFTER]


def test_nothing_is_said_again_where_ours_was_answered_or_a_newer_one_sent_meanwhile(reminders):
    reminders.answered("ams-1", Stamp(), Outcome.REFUSED)
    reminders.answered("ams-1", OURS, Outcome.ACCEPTED)
    assert reminders.due(0.0) == []
    reminders.answered("ams-1", Stamp(), Outcome.REFUSED)
    reminders.sent("ams-1", Stamp(3, 8))
    assert reminders.due(0.0) == []


def test_a_host_we_never_sent_an_order_is_left_alone(reminders):
    reminders.answered("fra-1", Stamp(), Outcome.REFUSED)
    assert reminders.due(0.0) == []
