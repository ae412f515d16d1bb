"""A word counts once its sender would have said that it failed with us."""

from __future__ import annotations

import pytest

from agents.advertising.certainty import certain, delay, next_look, settled
from agents.advertising.fitness import Judged
from agents.advertising.hearing import Hearing
from ambicast.model.services import Anycast, Check, CheckKind, Service
from tests.agents_advertising.hosts import told

DENSE = Check(CheckKind.HTTP, 80, interval=0.1, fast_interval=0.1)
CHECKS = {"www": Service("www", (), Anycast({}, ()), 10, (DENSE,))}
FAILED = {"www": Judged(False, "http 503", 1000.2, failing=1000.0)}


def words(*rtts: float) -> Hearing:
    return Hearing(words=tuple(told(f"p{rtt}", 1000.0, "www", rtt=rtt) for rtt in rtts))


@pytest.mark.parametrize(
    ("rtt", "interval", "seconds"),
    [(0.0, 0.1, 0.1), (0.0, 0.01, 0.1), (0.05, 0.1, 0.15), (0.3, 0.1, 0.4), (3.0, 0.1, 0.5)],
)
def test_a_word_takes_until_the_next_probe_and_a_round_trip_within_bounds(rtt, interval, seconds):
    assert delay(told("fra", 0.0, rtt=rtt), interval) == pytest.approx(seconds)


def test_the_nearest_counts_first():
    heard = words(0.0, 0.2)
    for now, counted in ((1000.17, 0), (1000.2, 1), (1000.37, 1), (1000.39, 2)):
        sure = certain(heard, ("www",), FAILED, CHECKS, 0.1, now)
        assert len(sure.words) == counted
    assert next_look(FAILED, CHECKS, heard, 0.1, 1000.0) == pytest.approx(1000.18)
    assert next_look(FAILED, CHECKS, heard, 0.1, 1000.2) == pytest.approx(1000.38)
    assert next_look(FAILED, CHECKS, heard, 0.1, 1000.5) is None


def test_nothing_is_awaited_while_nothing_fails_or_nobody_is_heard():
    fit = {"www": Judged(True, "", 1000.0)}
    assert next_look(fit, CHECKS, words(0.1), 0.1, 1000.0) is None
    assert next_look(FAILED, CHECKS, words(), 0.1, 1000.0) is None


def test_a_service_without_checks_fails_at_once():
    assert settled(FAILED["www"], None, 0.4) == 1000.0
