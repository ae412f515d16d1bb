"""Stories in which the controller must distrust what it is told."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.messages import Said
from ambicast.model.fleet import LostAtOnce
from controller.choreography.needs import together
from controller.choreography.phases import Phase
from controller.world.observations import HostReported
from tests.choreography.fleets import AMS, FRA, LHR, four_pops, three_pops
from tests.choreography.stage import Stage, restarted

OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
EVERYONE = (AMS, FRA, LHR)


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(3)
    return stage


def kept(stage: Stage) -> dict[str, set[str]]:
    """Which shared prefixes each PoP is keeper of, as its own latest order says."""
    orders = {pop: stage.orders[stage.fleet.bgp_hosts(pop)[0]][1] for pop in EVERYONE}
    return {
        pop: {prefix for prefix, keeper in order.keepers.items() if keeper == pop}
        for pop, order in orders.items()
    }


def wires(stage: Stage) -> dict[str, set[str]]:
    return {pop: stage.wire(pop) for pop in EVERYONE}


def test_where_every_check_fails_no_order_and_no_answer_changes(stage: Stage) -> None:
    answers, orders, before = stage.given(), dict(stage.orders), wires(stage)
    stage.unfit |= set(EVERYONE)
    stage.pass_time(30)
    assert stage.orders == orders
    assert stage.given() == answers
    assert wires(stage) == before
    assert {"someone to help" in pop.refusal for pop in stage.run.pops.values()} == {True}
    stage.unfit.clear()
    stage.pass_time(60, every=0.5)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}


def test_checks_that_begin_to_fail_elsewhere_are_a_reason_to_wait(stage: Stage) -> None:
    # ams is judged first, and resists; the others' checks have only begun to fail.
    stage.alone.resisting.add(AMS)
    stage.unfit.add(AMS)
    for pop in (FRA, LHR):
        stage.said[pop] = Said(pop=pop, host=stage.fleet.bgp_hosts(pop)[0])
    orders = dict(stage.orders)
    stage.pass_time(5)
    assert stage.orders == orders
    stage.said[LHR] = Said(pop=LHR, host=stage.fleet.bgp_hosts(LHR)[0], fit=("www",))
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.COVERED


def test_those_that_failed_together_may_recover_one_after_another(stage: Stage) -> None:
    stage.alone.resisting |= set(EVERYONE)
    stage.unfit |= set(EVERYONE)
    stage.pass_time(9)
    answers, before = stage.given(), wires(stage)
    for pop in (LHR, AMS, FRA):
        stage.unfit.discard(pop)
        stage.pass_time(0.9)
        assert stage.given() == answers
        assert wires(stage) == before
    stage.pass_time(10)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}


def test_who_does_not_recover_with_the_others_is_covered(stage: Stage) -> None:
    stage.alone.resisting |= set(EVERYONE)
    stage.unfit |= set(EVERYONE)
    stage.pass_time(9)
    stage.unfit -= {AMS, FRA}
    stage.pass_time(2.3)
    assert stage.run.pops[LHR].phase is Phase.HOME
    stage.pass_time(0.4)
    assert stage.run.pops[LHR].phase is Phase.COVERED


def test_slow_checks_are_given_time_to_see_a_recovery() -> None:
    fleet = three_pops()
    www = next(iter(fleet.services.values()))
    slow = msgspec.structs.replace(www.checks[0], interval=10.0, fast_interval=1.0, rise=3)
    checked = {www.name: msgspec.structs.replace(www, checks=(*www.checks, slow))}
    assert together(fleet) == 2.5
    assert together(msgspec.structs.replace(fleet, services=checked)) == 12.5


def test_one_that_can_serve_ends_the_distrust(stage: Stage) -> None:
    stage.unfit |= set(EVERYONE)
    stage.pass_time(1)
    stage.unfit.discard(LHR)
    stage.pass_time(1)
    assert kept(stage)[AMS] == set()
    assert kept(stage)[LHR] >= set(stage.fleet.anycast_prefixes())
    assert stage.wire(LHR) >= set(stage.fleet.anycast_prefixes()) | OWN
    assert not stage.wire(AMS)


def test_who_took_the_keepers_role_is_named(stage: Stage) -> None:
    anycast = set(stage.fleet.anycast_prefixes())
    assert kept(stage)[AMS] >= anycast
    host = stage.fleet.bgp_hosts(LHR)[0]
    stage.alone.keeps[host] = frozenset(anycast)
    stage.pass_time(0.5)
    assert kept(stage)[LHR] >= anycast
    assert not kept(stage)[AMS] & anycast
    sent = dict(stage.orders)
    stage.pass_time(5)
    assert stage.orders == sent


def test_a_role_taken_before_the_last_order_is_no_news(stage: Stage) -> None:
    host, anycast = stage.fleet.bgp_hosts(LHR)[0], stage.fleet.anycast_prefixes()
    told = stage.world.hosts[host].report
    old = msgspec.structs.replace(told, keeps=anycast, order_generation=0)
    stage.learn(HostReported(LHR, host, old))
    stage.look()
    assert stage.run.keepers[anycast[0]] == AMS
    stage.learn(HostReported(LHR, host, msgspec.structs.replace(told, keeps=anycast)))
    stage.look()
    assert stage.run.keepers[anycast[0]] == LHR


def test_more_losses_at_once_than_the_limit_are_not_believed() -> None:
    fleet = four_pops(ttl=2, tail=1, settle_down=5)
    limits = msgspec.structs.replace(
        fleet.limits, pops_lost_at_once=LostAtOnce(count=1, share=0.0)
    )
    stage = Stage(msgspec.structs.replace(fleet, limits=limits))
    stage.pass_time(3)
    stage.silent |= {AMS}
    stage.pass_time(1)
    stage.silent |= {FRA}
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    assert stage.run.pops[FRA].phase is Phase.HOME
    assert "2 silent within 10 s (ams, fra); at most 1" in stage.run.pops[FRA].refusal
    stage.pass_time(15)
    assert stage.run.pops[FRA].phase is Phase.TAKEN_OVER


def test_a_moment_without_a_wire_moves_nothing(stage: Stage) -> None:
    stage.bare.add(AMS)
    stage.pass_time(0.3)
    stage.bare.clear()
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert not stage.wire(FRA) & OWN


def test_a_controller_without_memory_leaves_a_drained_pop_empty(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(15)
    assert stage.wire(AMS) == set()
    restarted(stage, None)
    stage.pass_time(30, every=0.5)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()
    stage.undrain(AMS)
    stage.pass_time(60, every=0.5)
    assert stage.run.pops[AMS].phase is Phase.HOME


def test_a_drained_pop_comes_back_when_nobody_else_serves(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(15)
    stage.unfit |= {FRA, LHR}
    stage.pass_time(5)
    assert stage.wire(AMS) >= OWN | set(stage.fleet.anycast_prefixes())


def test_anycast_goes_one_rung_deeper_at_the_next_loss(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert stage.run.anycast_depth == 1
    stage.silent.clear()
    stage.pass_time(60, every=0.5)
    stage.silent.add(FRA)
    stage.pass_time(1)
    assert stage.run.anycast_depth == 2
