"""Stories of a PoP that falls silent in one family: the other family does not move."""

from __future__ import annotations

import pytest

from ambicast.model.identifiers import Family
from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage

V4, V6 = Family.V4, Family.V6
OWN = {V4: {"198.18.0.0/22"}, V6: {"2001:db8:1000::/46"}}
HALVES = {
    V4: {"198.18.0.0/23", "198.18.2.0/23"},
    V6: {"2001:db8:1000::/47", "2001:db8:1002::/47"},
}
ANYCAST_HALVES = {
    V4: {"198.19.254.0/24", "198.19.255.0/24"},
    V6: {"2001:db8:a::/48", "2001:db8:b::/48"},
}
HOME = {V4: "198.18.0.10", V6: "2001:db8:1000::a"}
PAIRS = [(V4, V6), (V6, V4)]


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(3)
    return stage


def of(wire: set[str], kind: Family) -> set[str]:
    return {prefix for prefix in wire if (":" in prefix) is (kind is V6)}


def answers(stage: Stage) -> tuple[str, ...]:
    """What the clients near ams are given."""
    assert stage.run.steering is not None
    return stage.run.steering.answers["www"]["c1"]


@pytest.mark.parametrize(("lost", "other"), PAIRS)
def test_helpers_advertise_the_silent_family_alone(
    stage: Stage, lost: Family, other: Family
) -> None:
    before = {pop: of(stage.wire(pop), other) for pop in (AMS, FRA, LHR)}
    stage.half.add((AMS, lost))
    for _ in range(50):
        stage.pass_time(0.1)
        assert {pop: of(stage.wire(pop), other) for pop in before} == before
        assert HOME[other] in answers(stage)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= OWN[lost] | HALVES[lost] | ANYCAST_HALVES[lost]
    assert HOME[lost] not in answers(stage)
    assert len(answers(stage)) == 2


@pytest.mark.parametrize(("lost", "other"), PAIRS)
def test_it_returns_in_that_family_alone(stage: Stage, lost: Family, other: Family) -> None:
    before = {pop: of(stage.wire(pop), other) for pop in (AMS, FRA, LHR)}
    stage.half.add((AMS, lost))
    stage.pass_time(3)
    stage.half.clear()
    for _ in range(240):
        stage.pass_time(0.25, every=0.25)
        assert {pop: of(stage.wire(pop), other) for pop in before} == before
        assert HOME[other] in answers(stage)
        assert any(stage.wire(pop) >= HALVES[lost] for pop in before)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert stage.run.pops[AMS].posture.families == ()
    assert stage.wire(AMS) >= HALVES[lost]
    assert not (stage.wire(FRA) | stage.wire(LHR)) & (OWN[lost] | HALVES[lost])
    assert set(answers(stage)) == set(HOME.values())


@pytest.mark.parametrize(("lost", "other"), PAIRS)
def test_the_takeover_widens_when_the_other_family_goes_too(
    stage: Stage, lost: Family, other: Family
) -> None:
    stage.half.add((AMS, lost))
    stage.pass_time(3)
    first = {pop: stage.wire(pop) for pop in (FRA, LHR)}
    stage.half.add((AMS, other))
    stage.pass_time(0.3)
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= first[pop] | OWN[other] | HALVES[other] | ANYCAST_HALVES[other]
    assert not set(HOME.values()) & set(answers(stage))
    stage.half.clear()
    stage.pass_time(60, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert set(answers(stage)) == set(HOME.values())


def test_a_death_seen_in_one_family_first_is_one_takeover(stage: Stage) -> None:
    stage.half.add((AMS, V4))
    stage.pass_time(0.2)
    assert stage.run.pops[AMS].phase is Phase.HOME
    stage.silent.add(AMS)
    before = len(stage.history)
    stage.pass_time(1)
    orders = [each for _, each in stage.history[before:] if type(each).__name__ == "PublishOrder"]
    assert sorted(each.host for each in orders) == ["ams-1", "fra-1", "lhr-1"]
    assert stage.wire(FRA) >= HALVES[V4] | HALVES[V6]


def test_a_second_silence_of_the_family_goes_deeper_there_alone(stage: Stage) -> None:
    stage.half.add((AMS, V6))
    stage.pass_time(3)
    stage.half.clear()
    stage.pass_time(60, every=0.25)
    stage.half.add((AMS, V6))
    stage.pass_time(1)
    assert "2001:db8:1000::/48" in stage.wire(FRA)
    assert not of(stage.wire(FRA), V4) & (OWN[V4] | HALVES[V4])


def test_a_whole_death_after_a_return_beats_each_family_s_own_rung(stage: Stage) -> None:
    stage.half.add((AMS, V6))
    stage.pass_time(3)
    stage.half.clear()
    stage.pass_time(60, every=0.25)
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert stage.wire(FRA) >= HALVES[V4] | {"2001:db8:1000::/48", "2001:db8:1003::/48"}
    stage.silent.clear()
    stage.pass_time(60, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert stage.wire(AMS) >= HALVES[V4] | {"2001:db8:1000::/48", "2001:db8:1003::/48"}


def test_who_is_silent_in_a_family_helps_nobody_in_it_but_does_in_the_other(
    stage: Stage,
) -> None:
    stage.half.add((AMS, V6))
    stage.pass_time(3)
    stage.unfit.add(FRA)
    stage.pass_time(1)
    assert stage.run.pops[FRA].phase is Phase.COVERED
    assert "2001:db8:1800::/46" not in stage.wire(AMS)
    assert stage.wire(LHR) >= {"198.18.128.0/22", "2001:db8:1800::/46"}


def test_two_pops_that_lost_a_family_each_help_in_the_other(stage: Stage) -> None:
    stage.half.add((AMS, V6))
    stage.pass_time(3)
    stage.said.clear()
    stage.bare_in = {(FRA, V4)}
    stage.pass_time(1)
    assert stage.run.pops[FRA].phase is Phase.COVERED
    assert stage.run.pops[FRA].posture.families == (V4,)
    assert "198.18.128.0/22" in stage.wire(AMS)
    assert "2001:db8:1800::/46" not in stage.wire(AMS)


def test_a_drain_of_a_pop_that_lost_a_family_empties_it_wholly(stage: Stage) -> None:
    stage.half.add((AMS, V6))
    stage.pass_time(3)
    stage.drain(AMS)
    stage.pass_time(20)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()
    assert stage.wire(FRA) >= OWN[V4] | OWN[V6]
    assert not set(HOME.values()) & set(answers(stage))


def test_own_prefixes_of_one_family_off_the_wire_are_covered_alone(stage: Stage) -> None:
    before = of(stage.wire(FRA), V4)
    stage.bare_in = {(AMS, V6)}
    stage.pass_time(0.4)
    assert stage.run.pops[AMS].phase is Phase.HOME
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.COVERED
    assert stage.wire(FRA) >= OWN[V6]
    assert not stage.wire(FRA) & HALVES[V6]
    assert of(stage.wire(FRA), V4) == before
    assert HOME[V4] in answers(stage)
    stage.bare_in = set()
    stage.pass_time(60, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.HOME
