"""A host that is loaded to its limit serves on, with longer paths; it never withdraws for it."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.observations import LoadSeen, ServiceChecked
from agents.advertising.telling import report
from tests.agents_advertising.hosts import ANYCAST, FACTS, OWN, VIDEO, Host, adverts, told

QUARTER = "198.19.254.0/24"


def prepends(host: Host) -> dict[str, int]:
    return {each.prefix: each.attributes.prepend for each in host.desired.advertisements}


def overloaded(host: Host) -> list[str]:
    return [each.service for each in report(host.state, FACTS).services if each.overloaded]


def loaded(*prefixes: str) -> Host:
    host = Host.healthy(*prefixes)
    host.tell(LoadSeen(cpu=0.95))
    host.judge("www", fit=False)
    return host


def keep_busy(host: Host, seconds: int, load: float) -> None:
    for _ in range(seconds):
        host.now += 1
        host.hear(told("fra", host.now, "www", "video"))
        host.tell(LoadSeen(cpu=load))


def spend(host: Host, seconds: float) -> None:
    """Time goes by in small steps, and the others go on being heard."""
    steps = max(1, round(seconds / 0.1))
    for _ in range(steps):
        host.now += seconds / steps
        host.hear(told("fra", host.now, "www", "video"))


@pytest.mark.parametrize("load", [LoadSeen(0.9), LoadSeen(0.1, {"north": 0.2, "south": 0.93})])
def test_a_failure_under_load_withdraws_nothing_and_makes_anycast_longer(load):
    host = Host.healthy(OWN, ANYCAST, QUARTER, VIDEO)
    host.tell(load)
    host.judge("www", fit=False)
    assert prepends(host) == {OWN: 0, ANYCAST: 3, QUARTER: 3, VIDEO: 3}
    assert overloaded(host) == ["www"]
    assert host.state.services["www"].fit
    assert "www" not in host.state.words(FACTS).fit, "nobody shall leave because of it"


def test_a_failure_on_an_idle_host_is_a_failure():
    host = Host.healthy(ANYCAST)
    host.tell(LoadSeen(cpu=0.95))
    host.wait(5.1)
    host.hear(told("fra", host.now, "www"))
    host.tell(LoadSeen(cpu=0.89))
    host.judge("www", fit=False)
    assert host.prefixes == set()
    assert overloaded(host) == []


def test_the_excuse_lasts_as_long_as_the_load():
    host = loaded(ANYCAST)
    keep_busy(host, 100, 0.95)
    assert host.prefixes == {ANYCAST}
    keep_busy(host, 4, 0.5)
    assert host.prefixes == {ANYCAST}
    keep_busy(host, 3, 0.5)
    assert host.prefixes == set(), "it is broken, not busy"


def test_longer_paths_last_a_minute_beyond_the_last_failure():
    host = loaded(ANYCAST)
    host.judge("www", fit=True)
    host.wait(59)
    assert prepends(host) == {ANYCAST: 3}
    assert overloaded(host) == ["www"]
    host.wait(2)
    assert prepends(host) == {ANYCAST: 0}
    assert overloaded(host) == []


def test_prepends_do_not_pile_up():
    host = loaded(ANYCAST)
    for _ in range(3):
        host.obey()
        assert prepends(host) == {ANYCAST: 3}
    longest = tuple(
        msgspec.structs.replace(
            each, attributes=msgspec.structs.replace(each.attributes, prepend=15)
        )
        for each in adverts(ANYCAST)
    )
    held = host.state.held
    order = msgspec.structs.replace(held.order, advertisements=longest)
    host.give(order, msgspec.structs.replace(held.stamp, generation=9))
    assert prepends(host) == {ANYCAST: 16}


def test_what_had_failed_before_the_load_came_stays_withdrawn():
    host = Host.healthy(ANYCAST)
    host.judge("www", fit=False)
    host.obey()
    spend(host, 2.1)
    host.tell(LoadSeen(cpu=1.0))
    assert host.prefixes == set()
    assert overloaded(host) == []


def test_a_load_seen_late_excuses_in_retrospect_and_costs_no_hold_down():
    host = Host.healthy(ANYCAST)
    host.judge("www", fit=False)
    host.obey()
    assert host.prefixes == set()
    assert host.state.serving.falls
    spend(host, 1.8)
    host.tell(LoadSeen(cpu=0.95))
    host.obey()
    assert prepends(host) == {ANYCAST: 3}
    assert overloaded(host) == ["www"]
    assert host.state.serving.falls == {}
    assert host.state.serving.held_down == {}
    keep_busy(host, 30, 0.95)
    assert host.prefixes == {ANYCAST}
    keep_busy(host, 6, 0.3)
    assert host.prefixes == set(), "it is broken, not busy"
    assert len(host.state.serving.falls["www"].at) == 1


def test_an_excuse_in_retrospect_leaves_the_record_of_earlier_failures_as_it_was():
    host = Host.healthy(ANYCAST)
    host.judge("www", fit=False)
    spend(host, 10)
    host.judge("www", fit=True)
    spend(host, 60)
    before = host.state.serving.falls
    host.judge("www", fit=False)
    assert len(host.state.serving.falls["www"].at) == 2
    spend(host, 1)
    host.tell(LoadSeen(cpu=0.95))
    assert host.state.serving.falls == before
    assert host.prefixes == {ANYCAST}


def test_a_burst_in_the_very_window_of_the_checks_excuses_until_the_load_is_certain():
    host = Host.healthy(ANYCAST)
    host.tell(ServiceChecked("www", fit=True, doubt=True))
    spend(host, 0.1)
    host.tell(LoadSeen(cpu=0.3, burst=1.0))
    spend(host, 0.1)
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}
    spend(host, 0.8)
    host.tell(LoadSeen(cpu=0.95, burst=1.0))
    spend(host, 4)
    assert host.prefixes == {ANYCAST}, "it was load"


def test_bursts_alone_excuse_a_dead_service_for_two_seconds_and_not_for_ever():
    host = Host.healthy(ANYCAST)
    host.tell(LoadSeen(cpu=0.5, burst=1.0))
    host.judge("www", fit=False)
    began = host.now
    while host.prefixes and host.now < began + 60:
        spend(host, 0.2)
        host.tell(LoadSeen(cpu=0.5, burst=1.0 if int(host.now * 5) % 3 else 0.2))
    assert host.now - began <= 2.3
    for _ in range(100):
        spend(host, 0.2)
        host.tell(LoadSeen(cpu=0.5, burst=1.0))
        assert host.prefixes == set()


@pytest.mark.parametrize("apart", [-3.0, -1.0, 1.0])
def test_a_burst_at_another_time_excuses_nothing(apart):
    host = Host.healthy(ANYCAST)
    if apart < 0:
        host.tell(LoadSeen(cpu=0.5, burst=1.0))
        spend(host, 0.2)
        host.tell(LoadSeen(cpu=0.5, burst=0.5))
        spend(host, -apart - 0.2)
    host.judge("www", fit=False)
    if apart > 0:
        spend(host, apart)
        host.tell(LoadSeen(cpu=0.5, burst=1.0))
    assert host.prefixes == set()
    assert overloaded(host) == []


def test_a_burst_whose_end_nobody_told_is_over_after_a_second():
    host = Host.healthy(ANYCAST)
    host.tell(LoadSeen(cpu=0.5, burst=1.0))
    spend(host, 1.8)
    host.judge("www", fit=False)
    assert host.prefixes == set()


def test_an_excused_failure_is_no_fall():
    host = loaded(ANYCAST)
    host.judge("www", fit=True)
    assert host.state.serving.falls == {}
    assert host.state.serving.held_down == {}


def test_the_load_is_reported_in_steps_that_do_not_change_all_the_time():
    host = Host.healthy()
    told_loads = set()
    for load in (0.41, 0.42, 0.414, 0.405):
        host.tell(LoadSeen(cpu=load, uplinks={"north": 0.2}))
        told_loads.add(report(host.state, FACTS).load)
    assert told_loads == {0.4}
