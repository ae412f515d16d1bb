"""A service that fails again and again comes back later and later, and a restart is no pardon."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agents.advertising.hold_down import LONGEST, Falls, remember
from agents.advertising.serving import Serving
from agents.advertising.state import HostState
from agents.advertising.telling import report
from tests.agents_advertising.hosts import ANYCAST, FACTS, Host, order, stamp, told

SETTLE = FACTS.fleet.timing.settle_down


class Flapper:
    """A healthy host with fit neighbors; ``rises`` and ``withdrawals`` are instants."""

    def __init__(self) -> None:
        self.host = Host.healthy(ANYCAST)
        self.rises, self.withdrawals = [], []
        self._advertised = True

    def run(self, seconds: float, step: float = 0.5) -> None:
        for _ in range(round(seconds / step)):
            self.host.now += step
            self.host.hear(*(told(pop, self.host.now, "www", "video") for pop in ("fra", "lhr")))
            self._look()

    def judge(self, *, fit: bool) -> None:
        self.host.judge("www", fit=fit)
        self._look()

    def _look(self) -> None:
        now = ANYCAST in self.host.prefixes
        if now != self._advertised:
            (self.rises if now else self.withdrawals).append(self.host.now)
            self._advertised = now
            self.host.obey()


@pytest.mark.parametrize(("down", "up"), [(3.5, 3.5), (1, 6), (6, 1), (7, 7), (0.5, 6.5)])
def test_a_flap_every_7_s_for_10_min_costs_one_withdrawal(down, up):
    flapper = Flapper()
    for _ in range(round(600 / (down + up))):
        flapper.judge(fit=False)
        flapper.run(down)
        flapper.judge(fit=True)
        flapper.run(up)
    assert len(flapper.withdrawals) == 1
    assert flapper.rises == []
    flapper.run(LONGEST - up - 1)
    assert flapper.rises == [], "it has to pass for ten minutes now"
    flapper.run(2)
    assert len(flapper.rises) == 1


@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(st.lists(st.tuples(st.integers(1, 25), st.integers(1, 80)), min_size=2, max_size=8))
def test_every_return_takes_at_least_twice_as_long_as_the_one_before(spells):
    flapper, recovered = Flapper(), []
    for down, up in spells:
        flapper.judge(fit=False)
        flapper.run(down, step=1)
        flapper.judge(fit=True)
        recovered.append(flapper.host.now)
        flapper.run(up, step=1)
    waits = [rise - max(at for at in recovered if at < rise) for rise in flapper.rises]
    assert all(wait >= SETTLE for wait in waits)
    assert all(later >= min(2 * wait, LONGEST) - 1 for wait, later in pairwise(waits))
    assert len(flapper.withdrawals) <= len(flapper.rises) + 1


def test_the_hold_down_doubles_up_to_ten_minutes():
    waits = [Falls(at=tuple(range(n))).wait(10.0) for n in (1, 2, 3, 4, 7, 8, 200)]
    assert waits == [10, 20, 40, 80, 600, 600, 600]
    assert Falls().wait(10.0) == 0


def test_failures_older_than_a_quarter_of_an_hour_are_forgotten():
    flapper = Flapper()
    for _ in range(2):
        flapper.judge(fit=False)
        flapper.run(1)
        flapper.judge(fit=True)
        flapper.run(901, step=1)
    spans = zip(flapper.withdrawals, flapper.rises, strict=True)
    assert [round(rise - fall) for fall, rise in spans] == [11, 11]


def test_what_was_never_fit_has_not_failed():
    host = Host()
    host.attach()
    host.look()
    host.give(order(ANYCAST), stamp(1))
    host.judge("www", fit=False)
    host.obey()
    host.wait(60)
    assert host.prefixes == set()
    host.judge("www", fit=True)
    assert host.prefixes == {ANYCAST}


def test_nothing_is_withdrawn_for_a_hold_down():
    host = Host.healthy(ANYCAST)
    host.hear()
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}, "nobody else is known to be fit"
    host.judge("www", fit=True)
    assert host.state.serving.held_down == {"www": SETTLE}
    host.hear(told("fra", host.now, "www"))
    assert host.prefixes == {ANYCAST}
    host.attach()
    assert host.prefixes == {ANYCAST}, "and an exabgp that died gets it again"


def test_a_restart_is_no_pardon():
    flapper = Flapper()
    flapper.judge(fit=False)
    flapper.run(2)
    flapper.judge(fit=True)
    again = Host()
    again.now = flapper.host.now + 1
    again.state = HostState(serving=Serving(falls=flapper.host.state.serving.falls))
    again.attach()
    again.give(order(ANYCAST), stamp(1))
    again.look(*flapper.host.state.kernel.terminated)
    again.judge("www", fit=True)
    assert again.prefixes == set()
    again.wait(SETTLE - 2)
    assert again.prefixes == set()
    again.wait(1.5)
    assert again.prefixes == {ANYCAST}


def test_a_failure_while_the_agent_was_away_counts():
    falls = {"www": Falls(at=(100.0,), passing=110.0)}
    after = remember(falls, {}, {"www": False}, SETTLE, 200.0)
    assert after["www"] == Falls(at=(100.0, 200.0))
    still = remember({"www": Falls(at=(100.0,))}, {}, {"www": False}, SETTLE, 200.0)
    assert still["www"].at == (100.0,), "it had failed already"


def test_records_from_the_future_are_forgotten():
    falls = {"www": Falls(at=(5000.0,), passing=5001.0)}
    assert remember(falls, {}, {"www": True}, SETTLE, 200.0) == {}


def test_a_held_down_service_is_nobodys_reason_to_leave_and_is_reported():
    flapper = Flapper()
    flapper.judge(fit=False)
    flapper.judge(fit=True)
    state = flapper.host.state
    assert "www" not in state.words(FACTS).fit
    (told_of,) = (each for each in report(state, FACTS).services if each.service == "www")
    assert (told_of.fit, told_of.hold_down) == (True, SETTLE)
    flapper.run(SETTLE + 1)
    assert "www" in flapper.host.state.words(FACTS).fit


def test_when_nobody_else_is_fit_a_recovered_service_is_needed_at_once():
    host = Host.healthy(ANYCAST)
    host.judge("www", fit=False)
    host.obey()
    assert host.prefixes == set()
    host.judge("www", fit=True)
    for _ in range(4):
        assert host.prefixes == set()
        host.now += 0.7
        host.hear(told("fra", host.now, "video"))
    assert host.prefixes == {ANYCAST}
    host.obey()
    host.hear(told("fra", host.now, "www"))
    assert host.prefixes == {ANYCAST}, "and it stays"
    assert msgspec.structs.asdict(host.state.serving.falls["www"])["pardoned"]
