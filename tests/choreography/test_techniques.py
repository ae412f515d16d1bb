"""The baselines: with fewer techniques the controller does less, and nothing else."""

from __future__ import annotations

import pytest

from controller.choreography.technique import Technique
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage

TIMING = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}
OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
HALF, ANYCAST_HALF, HOME = "198.18.0.0/23", "198.19.254.0/24", "198.18.0.10"


@pytest.mark.parametrize(
    ("techniques", "same", "halves", "dns"),
    [
        ((), False, False, False),
        (("dns",), False, False, True),
        (("same-length",), True, False, False),
        (("same-length", "dns"), True, False, True),
        (("halves", "same-length"), True, True, False),
        (("halves", "same-length", "dns"), True, True, True),
    ],
)
def test_at_a_silent_death_each_technique_moves_its_own_layer(
    techniques: tuple[str, ...], same: bool, halves: bool, dns: bool
) -> None:
    stage = Stage(three_pops(**TIMING), frozenset(Technique(each) for each in techniques))
    stage.pass_time(3)
    assert stage.given()["c1"] == HOME
    stage.silent.add(AMS)
    stage.pass_time(2)
    for pop in (FRA, LHR):
        assert (stage.wire(pop) >= OWN) is same
        assert (HALF in stage.wire(pop)) is halves
        assert (ANYCAST_HALF in stage.wire(pop)) is halves
        assert "198.19.254.0/23" in stage.wire(pop)
    assert (HOME not in stage.given().values()) is dns
    stage.silent.clear()
    stage.pass_time(40, every=0.25)
    assert stage.given()["c1"] == HOME
    assert not (stage.wire(FRA) | stage.wire(LHR)) & OWN
