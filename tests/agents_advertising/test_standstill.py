"""A host that slept: what it knew of its services is old, and the switch may have withdrawn."""

from __future__ import annotations

import pytest

from agents.advertising.desire import Why
from agents.advertising.observations import BgpSeen, LoadSeen, ServiceChecked, StoodStill
from agents.advertising.telling import report
from tests.agents_advertising.hosts import ANYCAST, FACTS, VIDEO, Host, adverts, told


def thawed(*left: str) -> Host:
    """Healthy, then frozen for 20 s; ``left`` is what is still advertised."""
    host = Host.healthy(ANYCAST, VIDEO)
    host.now += 20
    host.tell(StoodStill())
    if len(left) < 2:
        host.tell(BgpSeen(attached=False))
        assert host.desired.advertisements is None, "hands off until it is known what is left"
        host.attach(*adverts(*left))
    host.hear(told("fra", host.now, "www", "video"))
    return host


def test_nothing_changes_for_a_host_whose_services_are_well():
    host = thawed(ANYCAST, VIDEO)
    assert host.prefixes == {ANYCAST, VIDEO}
    for service in ("www", "video"):
        host.judge(service, fit=True)
        assert host.prefixes == {ANYCAST, VIDEO}
    assert host.state.serving.waking == {}
    assert host.state.serving.held_down == {}


def test_what_the_switch_withdrew_is_not_advertised_before_its_checks_have_spoken():
    host = thawed(VIDEO)
    for _ in range(50):
        host.now += 0.2
        host.hear(told("fra", host.now, "www", "video"))
        assert host.prefixes == {VIDEO}
    assert host.desired.withheld == {ANYCAST: Why.UNJUDGED}
    host.judge("video", fit=True)
    assert host.prefixes == {VIDEO}
    host.judge("www", fit=True)
    assert host.prefixes == {ANYCAST, VIDEO}


def test_a_doubt_that_follows_the_standstill_is_no_verdict():
    host = thawed(VIDEO)
    host.tell(ServiceChecked("www", fit=True, doubt=True))
    assert host.prefixes == {VIDEO}
    host.judge("www", fit=False)
    assert host.prefixes == {VIDEO}
    assert host.desired.withheld == {ANYCAST: Why.UNFIT}
    assert [fall.at for fall in host.state.serving.falls.values()] == [(host.now + FACTS.unix,)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_load_excuses_no_verdict_that_follows_a_standstill(when):
    host = thawed(VIDEO)
    if when == "before":
        host.tell(LoadSeen(cpu=1.0))
    host.judge("www", fit=False)
    host.tell(LoadSeen(cpu=1.0))
    assert host.prefixes == {VIDEO}


def test_an_unfit_service_is_withdrawn_that_the_switch_left_alone():
    host = thawed(ANYCAST, VIDEO)
    host.judge("www", fit=False)
    assert host.prefixes == {VIDEO}


def test_nobody_shall_rely_on_a_host_that_just_woke():
    host = thawed(ANYCAST, VIDEO)
    assert host.state.words(FACTS).fit == set()
    assert report(host.state, FACTS).services == ()


def test_who_sleeps_again_before_it_was_judged_remembers_what_it_was():
    host = thawed(VIDEO)
    host.tell(StoodStill())
    host.judge("www", fit=False)
    assert len(host.state.serving.falls["www"].at) == 1


def test_an_exabgp_that_dies_under_an_agent_that_is_awake_gets_everything_again():
    host = Host.healthy(ANYCAST, VIDEO)
    host.tell(BgpSeen(attached=False))
    assert host.prefixes == {ANYCAST, VIDEO}
