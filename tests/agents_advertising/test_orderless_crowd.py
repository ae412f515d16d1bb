"""Hosts whose orders were set aside, among others: no shared prefix is left without a keeper."""

from __future__ import annotations

import pytest

from tests.agents_advertising.crowd import Crowd, own
from tests.agents_advertising.hosts import ANYCAST, COVER

KEEPERS = pytest.mark.parametrize("keeper", [None, "p00", "p01"])
SOME = pytest.mark.parametrize(
    "without", [["p00"], ["p00", "p01"], ["p00", "p01", "p02"]], ids=["one", "two", "all"]
)


def crowd_of(keeper, without):
    crowd = Crowd(3, keeper=keeper)
    for name in without:
        crowd.members[name].restart(order=False)
        crowd.run(0.5)
    crowd.run(3)
    return crowd


@KEEPERS
@SOME
def test_losing_orders_is_not_noticed(keeper, without):
    crowd = crowd_of(keeper, without)
    assert not crowd.withdrawals
    for number, name in enumerate(sorted(crowd.members)):
        assert crowd.members[name].prefixes == {own(number), ANYCAST, COVER}


@KEEPERS
@SOME
def test_a_host_that_fails_without_an_order_gives_up_everything_once_somebody_keeps_it(
    keeper, without
):
    crowd = crowd_of(keeper, without)
    crowd.fail("p00")
    crowd.run(5)
    assert crowd.members["p00"].prefixes == set()
    assert crowd.least[ANYCAST] == crowd.least[COVER] == 2


@KEEPERS
@SOME
def test_when_all_fail_together_nothing_is_withdrawn(keeper, without):
    crowd = crowd_of(keeper, without)
    crowd.fail(*crowd.members)
    crowd.run(12)
    assert not crowd.withdrawals


@KEEPERS
@SOME
@pytest.mark.parametrize("apart", [0.06, 1.0])
def test_when_all_fail_one_after_another_every_shared_prefix_stays(keeper, without, apart):
    crowd = crowd_of(keeper, without)
    for name in sorted(crowd.members):
        crowd.fail(name)
        crowd.run(apart)
    crowd.run(12)
    assert crowd.least[ANYCAST] >= 1
    assert crowd.least[COVER] >= 1
