"""Several agents that hear each other: what a fleet gives up when its services fail."""

from __future__ import annotations

from random import Random

import pytest

from ambicast.model.services import Check, CheckKind
from tests.agents_advertising.crowd import DENSE, LAZY, STEP, Crowd, own
from tests.agents_advertising.hosts import ANYCAST, COVER

BOTH = pytest.mark.parametrize("check", [DENSE, LAZY], ids=["dense", "lazy"])


@BOTH
@pytest.mark.parametrize(("count", "keeper"), [(2, None), (3, "p00"), (3, "p02"), (10, "p00")])
def test_when_all_fail_at_the_same_instant_nothing_at_all_is_withdrawn(count, keeper, check):
    crowd = Crowd(count, check, keeper)
    crowd.fail(*crowd.members)
    crowd.run(12)
    assert not crowd.withdrawals
    assert all(not each.state.services["www"].fit for each in crowd.members.values())


@pytest.mark.parametrize("keeper", [None, "p00"])
@pytest.mark.parametrize("phase", [0.0, 0.06])
def test_when_all_fail_within_300_ms_every_shared_prefix_stays_advertised(phase, keeper):
    crowd = Crowd(6, keeper=keeper)
    crowd.run(phase)
    for name in crowd.members:
        crowd.fail(name)
        crowd.run(0.06)
    crowd.run(12)
    assert crowd.least[ANYCAST] >= 1
    assert crowd.least[COVER] >= 1
    assert len({name for name, _ in crowd.withdrawals}) <= 2


@pytest.mark.parametrize(
    ("count", "quota", "keeper"), [(3, 2, None), (3, 2, "p00"), (6, 2, "p01"), (10, 3, "p09")]
)
def test_when_one_after_another_fails_only_the_quota_is_withdrawn(count, quota, keeper):
    crowd = Crowd(count, keeper=keeper)
    for name in crowd.members:
        crowd.fail(name)
        crowd.run(1)
    crowd.run(12)
    gone = {name for name, _ in crowd.withdrawals}
    assert gone == set(sorted(crowd.members)[:quota])
    assert crowd.least[ANYCAST] == crowd.least[COVER] == count - quota


@pytest.mark.parametrize("keeper", [None, "p00", "p01"])
@pytest.mark.parametrize("phase", [0.0, 0.02, 0.05, 0.09])
def test_a_single_failure_is_withdrawn_within_the_time_of_its_detection(phase, keeper):
    crowd = Crowd(3, keeper=keeper)
    crowd.run(phase)
    crowd.fail("p00")
    began = crowd.now
    while crowd.members["p00"].prefixes and crowd.now < began + 5:
        crowd.run(STEP)
    assert crowd.now - began <= 0.1 + 2 * 0.1 + 2 * STEP
    assert crowd.members["p01"].prefixes == {own(1), ANYCAST, COVER}


def test_with_lazy_checks_a_single_failure_waits_for_all_that_may_have_failed_with_it():
    crowd = Crowd(3, LAZY)
    crowd.fail("p00")
    began = crowd.now
    while crowd.members["p00"].prefixes:
        crowd.run(STEP)
    assert crowd.now - began <= 0.3 + 0.3 + 0.1 + 2 * STEP


def test_the_keeper_hands_its_role_over_before_it_leaves_and_the_taker_does_the_same():
    crowd = Crowd(4, keeper="p00")
    for name, place in (("p00", 0), ("p01", 1)):
        crowd.fail(name)
        crowd.run(1)
        assert crowd.members[name].prefixes == set()
        heirs = {
            each.name for each in crowd.members.values() if ANYCAST in each.state.keeping.taken
        }
        assert heirs - {name}
        assert heirs <= set(crowd.members)
        assert crowd.least[ANYCAST] == 3 - place


def test_a_keeper_alone_with_its_prefix_keeps_it_although_others_are_fit():
    crowd = Crowd(3, keeper="p00")
    crowd.kill("p01", "p02")
    crowd.run(1)
    crowd.fail("p00")
    crowd.run(20)
    assert {ANYCAST, COVER} <= crowd.members["p00"].prefixes


def test_after_a_mass_failure_the_first_that_recovers_does_not_get_everybodys_clients():
    crowd = Crowd(6)
    crowd.fail(*crowd.members)
    crowd.run(15)
    crowd.recover("p04")
    crowd.run(15)
    assert not crowd.withdrawals
    crowd.recover("p02", "p03", "p05")
    crowd.run(15)
    assert {name for name, _ in crowd.withdrawals} == {"p00", "p01"}


@pytest.mark.parametrize("interval", [0.1, 0.3, 1.0, 2.0, 4.0, 5.0, 7.0, 10.0, 20.0])
@pytest.mark.parametrize(("rise", "fast"), [(3, 0.1), (4, 1.0)])
def test_those_that_recover_at_the_same_instant_all_stay_however_lazy_their_checks(
    interval, rise, fast
):
    check = Check(
        CheckKind.HTTP, 80, interval=interval, fast_interval=min(fast, interval), rise=rise
    )
    crowd = Crowd(3, check)
    crowd.run(Random(interval).uniform(0, interval))
    crowd.fail(*crowd.members)
    crowd.run(2 * interval + 1)
    assert all(not each.state.services["www"].fit for each in crowd.members.values())
    crowd.recover(*crowd.members)
    crowd.run(2 * interval + rise * fast + 3)
    assert all(each.state.services["www"].fit for each in crowd.members.values())
    assert not crowd.withdrawals


@pytest.mark.parametrize("interval", [0.3, 4.0])
def test_who_is_still_unfit_later_than_its_checks_explain_leaves_to_those_that_are_well(interval):
    crowd = Crowd(3, Check(CheckKind.HTTP, 80, interval=interval, fast_interval=0.1))
    crowd.fail(*crowd.members)
    crowd.run(2 * interval + 1)
    crowd.recover("p00", "p01")
    crowd.run(2 * interval + 4)
    assert {name for name, _ in crowd.withdrawals} == {"p02"}


def test_who_was_withdrawn_comes_back_when_nobody_has_been_fit_for_long():
    crowd = Crowd(3)
    crowd.fail("p00")
    crowd.run(3)
    assert crowd.members["p00"].prefixes == set()
    crowd.run(30)
    crowd.fail("p01", "p02")
    crowd.run(5)
    assert crowd.members["p00"].prefixes == set()
    assert crowd.advertisers(ANYCAST)
    crowd.run(10)
    assert crowd.members["p00"].prefixes == {own(0), ANYCAST, COVER}


def test_doubt_elsewhere_brings_nothing_back_and_takes_nothing_away():
    crowd = Crowd(3)
    crowd.fail("p00")
    crowd.run(2)
    for _ in range(5):
        crowd.fail("p01", "p02")
        crowd.run(0.11)
        crowd.recover("p01", "p02")
        crowd.run(2)
    assert set(crowd.withdrawals.values()) == {1}
    assert crowd.members["p00"].prefixes == set()


@pytest.mark.parametrize("again", [0.5, 3, 20])
def test_a_keeper_that_handed_over_and_restarts_stays_away(again):
    crowd = Crowd(4, keeper="p00")
    crowd.fail("p00")
    crowd.run(again)
    assert crowd.members["p00"].prefixes == set()
    for _ in range(3):
        crowd.members["p00"].restart()
        for _ in range(250):
            crowd.run(STEP)
            assert crowd.members["p00"].prefixes == set()
    crowd.recover("p00")
    crowd.run(15)
    assert {ANYCAST, COVER} <= crowd.members["p00"].prefixes


def test_a_keeper_that_restarts_in_a_mass_failure_keeps_what_it_has():
    crowd = Crowd(4, keeper="p00")
    crowd.fail(*crowd.members)
    crowd.run(5)
    crowd.members["p00"].restart()
    crowd.run(15)
    assert not crowd.withdrawals
    assert crowd.least[ANYCAST] == crowd.least[COVER] == 4


def row(longest: float, count: int):
    """The farther apart, the longer a round trip."""
    return lambda one, other: longest * abs(int(one[1:]) - int(other[1:])) / (count - 1)


def outpost(longest: float, count: int):
    """Near each other, but for the last."""
    return lambda one, other: longest if f"p{count - 1:02}" in (one, other) else 0.01


@pytest.mark.parametrize("world", [row, outpost])
@pytest.mark.parametrize("longest", [0.1, 0.3])
@pytest.mark.parametrize("seed", range(8))
def test_however_far_apart_and_in_whatever_order_all_fail_every_shared_prefix_stays(
    world, longest, seed
):
    random = Random(seed)
    count = random.randint(2, 6)
    check = random.choice((DENSE, LAZY))
    keeper = random.choice((None, "p00", f"p{count - 1:02}"))
    crowd = Crowd(count, check, keeper, world(longest, count))
    crowd.run(random.uniform(0, 0.3))
    names = random.sample(sorted(crowd.members), count)
    window = random.uniform(0.0, 1.0)
    for name in names:
        crowd.fail(name)
        crowd.run(round(random.uniform(0, window) / count / STEP) * STEP)
    crowd.run(8)
    assert crowd.least[ANYCAST] >= 1
    assert crowd.least[COVER] >= 1


@pytest.mark.parametrize(("near", "far"), [(0.01, 0.02), (0.01, 0.4), (0.1, 0.1), (0.3, 0.4)])
def test_a_single_failure_waits_for_the_nearest_pop_that_is_fit(near, far):
    crowd = Crowd(3, rtt=lambda one, other: far if "p02" in (one, other) else near)
    crowd.fail("p00")
    began = crowd.now
    while crowd.members["p00"].prefixes and crowd.now < began + 5:
        crowd.run(STEP)
    found, judged = 0.1, 0.1 + 0.2
    assert crowd.now - began <= max(judged, found + 0.1 + 0.1 + near) + 2 * STEP
