"""A loaded host's first verdict, after a restart or a standstill: overload never withdraws."""

from __future__ import annotations

import pytest

from agents.advertising.observations import LoadSeen, ServiceChecked, StoodStill
from tests.agents_advertising.hosts import ANYCAST, OWN, VIDEO, Host, told

BUSY = LoadSeen(cpu=0.99, burst=1.0)
IDLE = LoadSeen(cpu=0.2, burst=0.2)


def spend(host: Host, seconds: float, load: LoadSeen = BUSY) -> None:
    for _ in range(round(seconds / 0.2)):
        host.now += 0.2
        host.hear(told("fra", host.now, "www", "video"))
        host.tell(load)
        host.obey()


def excused() -> Host:
    host = Host.healthy(OWN, ANYCAST, VIDEO)
    host.tell(BUSY)
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    host.obey()
    spend(host, 3)
    assert host.prefixes == {OWN, ANYCAST, VIDEO}
    return host


def restarted(host: Host) -> Host:
    """Its agent began anew, with the order it kept; ExaBGP and the kernel went on."""
    new = Host()
    new.now = host.now + 1
    new.give(host.state.held.order, host.state.held.stamp)
    new.attach(*host.state.rib)
    new.tell(host.state.kernel)
    return new


def prepends(host: Host, prefix: str) -> set[int]:
    entries = host.desired.advertisements
    return {each.attributes.prepend for each in entries if each.prefix == prefix}


def test_an_agent_that_starved_withdraws_nothing_while_its_host_is_loaded():
    host = excused()
    host.now += 3
    host.tell(StoodStill())
    spend(host, 1)
    host.tell(ServiceChecked("www", fit=True, doubt=True))
    spend(host, 0.4)
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    spend(host, 10)
    assert host.prefixes == {OWN, ANYCAST, VIDEO}
    assert prepends(host, ANYCAST) == {3}


def test_an_agent_that_restarts_withdraws_nothing_while_its_host_is_loaded():
    host = restarted(excused())
    spend(host, 1)
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    spend(host, 10)
    assert host.prefixes == {OWN, ANYCAST, VIDEO}
    assert prepends(host, ANYCAST) == {3}
    assert host.state.services == {}, "not judged: nothing is added either"


def test_nor_before_the_load_is_certain_if_the_cpus_were_at_the_limit_meanwhile():
    host = restarted(excused())
    host.tell(LoadSeen(cpu=0.3, burst=1.0))
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    spend(host, 1, LoadSeen(cpu=0.5, burst=1.0))
    assert host.prefixes == {OWN, ANYCAST, VIDEO}
    spend(host, 5)
    assert host.prefixes == {OWN, ANYCAST, VIDEO}


@pytest.mark.parametrize("load", [IDLE, LoadSeen(cpu=0.5, burst=1.0)], ids=["idle", "bursts"])
def test_once_the_load_is_gone_what_still_fails_is_broken(load):
    host = restarted(excused())
    spend(host, 1)
    host.judge("www", fit=False)
    spend(host, 4.6, load)
    assert host.prefixes == {OWN, ANYCAST, VIDEO}
    spend(host, 1, load)
    assert host.prefixes == {OWN, VIDEO}


def test_a_first_verdict_under_load_adds_nothing():
    host = Host()
    host.tell(BUSY)
    host.tell(ServiceChecked("www", fit=False))
    assert host.state.services == {}
    host.tell(ServiceChecked("www", fit=True))
    assert host.state.services["www"].fit
