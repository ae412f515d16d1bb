"""When a controller's presence is news."""

from __future__ import annotations

import pytest

from agents.advertising.observations import ControllerSeen
from agents.mqtt.beats import Beats
from ambicast.contract.messages import ControllerPresence

HERE, GONE = ControllerSeen(online=True, epoch=3), ControllerSeen(online=False)


@pytest.fixture
def beats():
    beats = Beats()
    beats.connected()
    return beats


def said(instance="one", beat=1, online=True):
    return ControllerPresence(online=online, instance=instance, since=0.0, beat=beat)


def test_every_new_beat_is_news(beats):
    found = [beats.hear(3, said(beat=beat), retained=False) for beat in (1, 2, 2, 3)]
    assert found == [HERE, HERE, None, HERE]


def test_a_retained_beat_is_none_and_neither_is_its_repetition(beats):
    assert beats.hear(3, said(beat=5), retained=True) is None
    assert beats.hear(3, said(beat=5), retained=False) is None
    assert beats.hear(3, said(beat=6), retained=False) == HERE


def test_a_controller_that_left_is_gone_at_once_retained_or_not(beats):
    assert beats.hear(3, said(online=False), retained=True) == GONE
    beats.hear(3, said(), retained=False)
    assert beats.hear(3, said(online=False), retained=False) == GONE


def test_the_last_will_of_one_that_was_replaced_says_nothing_of_its_successor(beats):
    beats.hear(3, said("one"), retained=False)
    assert beats.hear(4, said("two"), retained=False) == ControllerSeen(online=True, epoch=4)
    assert beats.hear(3, said("one", online=False), retained=False) is None
    assert beats.hear(4, said("two", online=False), retained=False) == GONE


def test_a_last_will_counts_under_whatever_epoch_it_was_fixed(beats):
    beats.hear(9, said("one"), retained=False)
    assert beats.hear(1, said("one", online=False), retained=False) == GONE


def test_one_that_was_replaced_and_does_not_know_it_is_not_heard(beats):
    beats.hear(4, said("two"), retained=False)
    assert beats.hear(3, said("one", beat=99), retained=False) is None


def test_a_broker_that_forgot_everything_may_have_a_controller_that_did(beats):
    beats.hear(9, said("one"), retained=False)
    beats.connected()
    assert beats.hear(1, said("two"), retained=False) == ControllerSeen(online=True, epoch=1)


def test_a_controller_of_the_release_before_does_not_beat_and_is_heard_once(beats):
    assert beats.hear(3, said(beat=0), retained=False) == HERE
    assert beats.hear(3, said(beat=0), retained=False) is None
