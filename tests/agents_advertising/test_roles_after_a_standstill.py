"""Keepers that start anew or wake, and are well: nobody takes their roles."""

from __future__ import annotations

import pytest

from agents.advertising.observations import StoodStill
from tests.agents_advertising.crowd import LAZY, Crowd
from tests.agents_advertising.hosts import ANYCAST, COVER


def takers(crowd: Crowd) -> set[str]:
    return {name for name, each in crowd.members.items() if each.state.keeping.taken}


def test_a_keeper_that_wakes_with_all_well_offers_nothing_before_it_is_judged():
    crowd = Crowd(4, LAZY, keeper="p00")
    keeper = crowd.members["p00"]
    keeper.tell(StoodStill())
    keeper._told = None  # its checks tell everything again
    crowd.run(3)
    assert takers(crowd) == set()
    assert keeper.word().keeps == {ANYCAST, COVER}


def test_nor_does_one_that_restarts():
    crowd = Crowd(4, LAZY, keeper="p00")
    crowd.members["p00"].restart()
    crowd.run(3)
    assert takers(crowd) == set()
    assert crowd.members["p00"].word().keeps == {ANYCAST, COVER}


@pytest.mark.parametrize("starts_anew", [False, True])
def test_a_keeper_that_wakes_or_restarts_unfit_hands_its_roles_over(starts_anew):
    crowd = Crowd(4, LAZY, keeper="p00")
    keeper = crowd.members["p00"]
    crowd.fail("p00")
    if starts_anew:
        keeper.restart()
    else:
        keeper.tell(StoodStill())
        keeper._told = None
    crowd.run(5)
    assert takers(crowd)
    assert crowd.advertisers(COVER) == {"p01", "p02", "p03"}
