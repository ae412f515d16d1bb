"""Contingencies follow what is advertised also while a PoP is away; who helps whom does not."""

from __future__ import annotations

from collections import Counter

import pytest

from ambicast.model.identifiers import Family, PopName
from controller.choreography.phases import Phase
from controller.choreography.run import PublishOrder
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops
from tests.choreography.stage import Stage

QUICK = {"ttl": 1.0, "tail": 0.5, "stagger": 1.0, "settle_down": 3.0, "shutdown_wait": 0.5}
FRA_QUARTERS = {"198.18.128.0/24", "198.18.129.0/24", "198.18.130.0/24", "198.18.131.0/24"}


@pytest.fixture
def stage() -> Stage:
    """ams has been silent for a while."""
    stage = Stage(four_pops(**QUICK))
    stage.pass_time(3)
    stage.silent.add(AMS)
    stage.pass_time(3)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    return stage


def told(stage: Stage, pop: PopName, lost: PopName) -> set[str]:
    """What ``pop`` is to add when ``lost`` is lost."""
    order = stage.orders[stage.fleet.bgp_hosts(pop)[0]][1]
    return {prefix for plan in order.when_lost if plan.lost == lost for prefix in plan.prefixes}


def count(stage: Stage, since: int) -> Counter[PopName]:
    """How many orders each PoP was sent since then."""
    sent = (each for _, each in stage.history[since:])
    return Counter(each.pop for each in sent if isinstance(each, PublishOrder))


def test_who_goes_deeper_while_another_is_away_is_beaten_all_the_same(stage: Stage) -> None:
    table = stage.run.failover
    assert not told(stage, LHR, FRA) & FRA_QUARTERS
    stage.alone.dull.add((FRA, "north", Family.V4))
    stage.pass_time(1)
    assert "198.18.128.0/23" in stage.wire(FRA)
    assert told(stage, LHR, FRA) >= FRA_QUARTERS
    assert stage.run.failover is table


def test_the_text_changes_once_and_orders_with_it(stage: Stage) -> None:
    stage.alone.dull.add((FRA, "north", Family.V4))
    stage.pass_time(2)
    sent = dict(stage.orders)
    stage.pass_time(20)
    assert stage.orders == sent


def test_a_death_is_one_order_for_each_and_a_way_home_no_more_than_its_steps() -> None:
    stage = Stage(four_pops(**QUICK))
    stage.pass_time(3)
    since = len(stage.history)
    stage.silent.add(AMS)
    stage.pass_time(3)
    assert count(stage, since) == dict.fromkeys((AMS, FRA, LHR, MAD), 1)
    since = len(stage.history)
    stage.silent.clear()
    stage.pass_time(40)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    # Home once; each helper what home now advertises, and to leave. The table is that of before.
    assert count(stage, since) == {AMS: 1, FRA: 2, LHR: 2, MAD: 2}
