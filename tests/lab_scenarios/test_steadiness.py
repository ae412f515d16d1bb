"""What moved although nothing should: routes, sessions, coverage, answers, takeovers."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from lab.fibs import FibEvent
from lab.judging import sessions
from lab.judging.coverage import CoverageSample, steered
from lab.judging.expectations import Happening, Measured, evaluate
from lab.judging.routing import Addresses, RouteLog, log_of, within
from lab.judging.sessions import Connection, SessionSample, ended
from lab.judging.steadiness import Change, Steadiness
from lab.judging.world import Answered
from lab.scenarios.bounds import count_bound
from lab.scenarios.shapes import (
    RouteCountExpectation,
    RouteTimeExpectation,
    SteadyExpectation,
    TakeoverExpectation,
)
from lab.topology.places import THREE_POPS

MS = 1_000_000
HOME, HALF, OTHER = "198.18.0.0/22", "198.18.0.0/23", "198.18.4.0/22"
AMS, UP, LHR = "10.3.1.2", "172.30.2.1", "10.5.3.2"
KNOWN = Addresses({AMS: "ams", "10.4.1.2": "ams", LHR: "lhr"}, {"ams": (ip_network(HOME),)})
ASKED = Answered("c1", "v4", "fra")


def event(t_ms, node, prefix, hop, what="route-changed"):
    return FibEvent(t_ns=t_ms * MS, node=node, what=what, prefix=prefix, gateway=hop)


def gone(t_ms, node, prefix):
    return event(t_ms, node, prefix, None, "route-removed")


def row(expectation, first=(), events=(), **more):
    log = RouteLog(dict(first), events, KNOWN)
    happened = more.pop("happened", ())
    measured = Measured(
        records={},
        samples=(),
        events=happened,
        steps=[100 * MS, 500 * MS],
        end_ns=1000 * MS,
        steadiness=Steadiness(zero_ns=0, routes=log, **more),
    )
    (found,) = evaluate(expectation, measured)
    return found


def count(what="changed", bound="0", **more):
    return RouteCountExpectation(text="", what=what, bound=count_bound(bound), **more)


def test_every_change_counts_and_the_first_are_told():
    events = [event(50, "t3", HOME, UP), event(200, "t4", "2001:db8:1000::/46", UP)]
    found = row(count(), events=events)
    assert (found.measured, found.ok) == (2, False)
    assert "t3 route-changed 198.18.0.0/22 at 0.05 s" in found.why
    assert row(count(after=1), events=events).measured == 1
    assert row(count(family="v4"), events=events).measured == 1
    assert row(count(family="v4", after=1), events=events).ok


def test_only_steered_prefixes_at_transits_since_the_load_started_are_in_the_log():
    events = [
        event(10, "t3", HOME, UP),
        event(20, "t3", "10.3.0.0/16", UP),
        event(20, "c1", HOME, UP),
        event(20, "t3", HALF, UP),
    ]
    first = {("t3", HOME): AMS, ("t3", "198.19.1.0/24"): "eth3"}
    log = log_of(first, events, ("t3",), KNOWN, 15 * MS)
    assert [e.prefix for e in log.events] == [HALF]
    assert log.first == {("t3", HOME): AMS}
    assert not within("198.18.0.0/15", (ip_network("198.18.0.0/16"),))


def test_a_withdrawal_is_the_loss_of_the_last_route_to_the_pop():
    first = {("t3", HOME): AMS, ("t4", HOME): "10.4.1.2", ("t1", HOME): UP}
    lost = [gone(110, "t3", HOME), event(120, "t4", HOME, LHR)]
    wanted = count("withdrawals", pop="ams")
    assert row(wanted, first, lost[:1]).measured == 0
    assert row(wanted, first, lost).measured == 1
    back = event(130, "t3", HOME, AMS, "route-added")
    again = [*lost, back, gone(600, "t3", HOME)]
    assert row(wanted, first, again).measured == 2
    assert row(count("withdrawals", pop="ams", after=2), first, again).measured == 1


@pytest.mark.parametrize(
    ("events", "measured"),
    [
        ([], 0.0),
        ([gone(200, "t3", HOME), event(350, "t3", HOME, AMS, "route-added")], 250.0),
        ([event(200, "t3", HOME, UP), event(350, "t3", HOME, AMS), gone(400, "t3", HOME)], None),
    ],
)
def test_routes_are_the_same_when_none_differs_any_more(events, measured):
    wanted = RouteTimeExpectation(text="", what="same", within=0.3, after=1)
    found = row(wanted, {("t3", HOME): AMS}, events)
    assert found.measured == measured
    assert found.ok is (measured is not None)


def test_routes_are_gone_when_no_router_sends_the_pops_own_prefixes_to_it():
    wanted = RouteTimeExpectation(text="", what="gone", within=0.2, after=1, pop="ams")
    first = {("t3", HOME): AMS, ("t4", HALF): AMS, ("t3", OTHER): AMS}
    events = [gone(200, "t3", HOME), event(280, "t4", HALF, LHR)]
    assert row(wanted, first, events).measured == 180.0
    assert row(wanted, first, events[:1]).measured is None


def test_takeovers_are_those_the_controller_tells():
    told = [
        Happening(50 * MS, "pop.failed", "home -> covered: www refused"),
        Happening(200 * MS, "pop.lost", "home -> taken-over: not seen by fra, lhr"),
        Happening(210 * MS, "step.sent", "takeover/cover: fra advertises"),
    ]
    wanted = TakeoverExpectation(text="", bound=count_bound("0"))
    assert row(wanted, happened=told).measured == 1
    assert row(wanted, happened=told[:1]).ok
    late = TakeoverExpectation(text="", bound=count_bound("0"), after=2)
    assert row(late, happened=told).ok


def test_a_session_that_came_back_was_lost_all_the_same():
    first, second = Connection("t3", AMS, 179, 40000), Connection("t3", AMS, 179, 40001)
    looks = [
        SessionSample(0, frozenset({first})),
        SessionSample(200 * MS, frozenset({second})),
        SessionSample(300 * MS, frozenset({second})),
    ]
    assert ended(looks, 0) == [(200 * MS, first)]
    wanted = SteadyExpectation(text="", subject="session")
    assert row(wanted, sessions=looks).measured == 1
    assert "t3 lost 10.3.1.2 at 0.20 s" in row(wanted, sessions=looks).why
    assert row(wanted, sessions=looks[1:]).ok
    assert not row(wanted, sessions=[]).ok  # nobody looked


def test_a_connection_is_read_as_the_kernel_writes_it():
    assert sessions._end("0201030A:00B3") == ("10.3.1.2", 179)
    assert sessions._end("000000FD00000300000001000002000000:0050"[2:])[1] == 80


def test_an_uncovered_prefix_is_told_and_looks_before_a_step_do_not_count():
    looks = [CoverageSample(50 * MS, (HOME,)), CoverageSample(150 * MS, ())]
    wanted = SteadyExpectation(text="", subject="advertised")
    assert row(wanted, coverage=looks).measured == 1
    assert HOME in row(wanted, coverage=looks).why
    after = SteadyExpectation(text="", subject="advertised", after=1)
    assert row(after, coverage=looks).ok
    assert not row(wanted, coverage=[]).ok
    assert steered(THREE_POPS)[HOME] == ("198.18.0.1", "198.18.3.255")


def test_another_address_is_a_changed_answer_and_silence_is_none():
    wanted = SteadyExpectation(text="", subject="answers")
    said = [(-9, "198.18.0.10"), (200, None), (250, "198.18.0.10"), (300, "198.18.4.10")]
    changes = [Change(t * MS, ASKED, address) for t, address in said]
    assert row(wanted, changes=changes[:3]).ok
    found = row(wanted, changes=changes)
    assert found.measured == 1
    assert "fra tells c1 v4 198.18.4.10 at 0.30 s" in found.why
    assert row(SteadyExpectation(text="", subject="answers", after=2), changes=changes).ok
    v6 = SteadyExpectation(text="", subject="answers", family="v6")
    assert not row(v6, changes=changes).ok  # nothing was heard of it


def test_a_prefix_that_others_only_cover_is_not_there_exactly():
    looks = [CoverageSample(50 * MS, (), (HOME,)), CoverageSample(150 * MS, ())]
    every = SteadyExpectation(text="", subject="advertised")
    exactly = SteadyExpectation(text="", subject="advertised", exact=True)
    assert row(every, coverage=looks).ok
    found = row(exactly, coverage=looks)
    assert (found.measured, found.ok) == (1, False)
    assert HOME in found.why
