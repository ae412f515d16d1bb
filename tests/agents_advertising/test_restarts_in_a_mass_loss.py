"""Agents that start anew, or wake, while many PoPs have failed: they count those too."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.observations import StoodStill
from tests.agents_advertising.crowd import LAZY, Crowd

MOST_OF_TEN = 3


def leavers(crowd: Crowd) -> set[str]:
    return {name for name, _ in crowd.withdrawals}


@pytest.mark.parametrize("broken", [4, 9])
@pytest.mark.parametrize("silent", [False, True], ids=["at once", "after some seconds"])
def test_a_release_that_breaks_checks_and_restarts_every_agent_is_not_believed(broken, silent):
    crowd = Crowd(10, LAZY, keeper="p00")
    crowd.fail(*sorted(crowd.members)[:broken])
    if silent:
        for name, heard in crowd.air.heard.items():
            for pop in heard:
                heard[pop] = msgspec.structs.replace(heard[pop], voice=False)
            crowd.air.version[name] += 1
    for each in crowd.members.values():
        each.restart()
    crowd.run(15)
    assert len(leavers(crowd)) <= MOST_OF_TEN


def test_an_agent_that_restarts_while_a_loss_is_disbelieved_gives_up_nothing():
    crowd = Crowd(10, LAZY, keeper="p09")
    failed = sorted(crowd.members)[:6]
    crowd.fail(*failed)
    crowd.run(15)
    for name in failed:
        crowd.members[name].restart()
        crowd.run(3)
    crowd.run(15)
    assert not leavers(crowd)


def test_an_agent_that_wakes_while_a_loss_is_disbelieved_gives_up_nothing():
    crowd = Crowd(10, LAZY, keeper="p09")
    failed = sorted(crowd.members)[:6]
    crowd.fail(*failed)
    crowd.run(15)
    assert not leavers(crowd)
    for name in failed:
        crowd.members[name].tell(StoodStill())
        crowd.members[name]._told = None  # its checks tell everything again
        crowd.run(3)
    crowd.run(15)
    assert not leavers(crowd)
