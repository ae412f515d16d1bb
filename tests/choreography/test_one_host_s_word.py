"""What one host says it took over is believed as far as others can bear it out."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.messages import DeedKind
from ambicast.model.identifiers import PopName
from controller.choreography.phases import Phase
from tests.choreography.fleets import many_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 1.0, "tail": 0.5, "stagger": 1.0, "settle_down": 3.0, "shutdown_wait": 0.5}
P = [PopName(f"p{number:03}") for number in range(10)]


@pytest.fixture
def ten() -> Stage:
    stage = Stage(many_pops(10, 30, **QUICK))
    stage.pass_time(2.5)
    return stage


def claim(stage: Stage, teller: PopName, *lost: PopName, sent: bool = True) -> None:
    """The host of ``teller`` says that it took ``lost`` over, and (``sent``) does."""
    host = stage.fleet.bgp_hosts(teller)[0]
    for name in lost:
        plan = next(each for each in stage.orders[host][1].when_lost if each.lost == name)
        links = ["north", "south"] if sent else []
        stage.alone._do(host, DeedKind.COVER, name, list(plan.prefixes), links)


def away(stage: Stage) -> list[PopName]:
    return [name for name, pop in stage.run.pops.items() if pop.phase is not Phase.HOME]


def test_one_host_of_ten_that_claims_nine_takes_over_none_and_is_told_once(ten: Stage) -> None:
    sent, answers = dict(ten.orders), ten.run.steering
    claim(ten, P[0], *P[1:])
    ten.pass_time(15)
    assert away(ten) == []
    assert (ten.orders, ten.run.steering) == (sent, answers)
    ignored = ten.happened("claim.ignored")
    assert sorted(each.pop for each in ignored) == P[1:]
    assert "p000-1 says it took over: p001 serves" in ignored[0].text


def test_what_is_ignored_is_not_told_again_after_a_restart(ten: Stage) -> None:
    claim(ten, P[0], P[1])
    ten.pass_time(1)
    restarted(ten, ten.run)
    ten.pass_time(4)
    claim(ten, P[0], P[2])
    ten.pass_time(1)
    assert [each.pop for each in ten.happened("claim.ignored")] == [P[1], P[2]]


def test_two_pops_that_say_the_same_are_believed(ten: Stage) -> None:
    claim(ten, P[0], P[5])
    ten.pass_time(1)
    assert away(ten) == []
    claim(ten, P[9], P[5])
    ten.pass_time(1)
    assert away(ten) == [P[5]]
    assert {P[0], P[9]} <= set(ten.run.pops[P[5]].posture.helpers)


def test_what_is_not_on_its_wire_is_no_claim_however_many_say_it(ten: Stage) -> None:
    for teller in P[:4]:
        claim(ten, teller, P[5], sent=False)
    ten.pass_time(3)
    assert away(ten) == []
    assert not any(ten.run.kept.values())


def test_a_claim_refused_by_the_quota_is_believed_ten_seconds_later(ten: Stage) -> None:
    # Nobody returns meanwhile.
    patient = msgspec.structs.replace(ten.fleet.timing, settle_down=600.0)
    ten.fleet = msgspec.structs.replace(ten.fleet, timing=patient)
    for teller in P[:2]:
        claim(ten, teller, *P[3:8])
    ten.pass_time(9)
    assert away(ten) == P[3:6]
    assert all("at most 3" in ten.run.pops[name].refusal for name in P[6:8])
    assert len(ten.happened("plan.refused")) == 2
    ten.pass_time(3)
    assert away(ten) == P[3:8]
