"""What only bad weather asks: when it healed, what routers hold, how full PoPs are."""

from __future__ import annotations

import pytest

from lab.judging.agreement import Sample
from lab.judging.expectations import Measured, evaluate
from lab.judging.landing import loads
from lab.judging.received import _BIRD_ROUTE, ReceivedSample, back_after
from lab.judging.routing import Addresses, RouteLog
from lab.judging.steadiness import Steadiness
from lab.judging.world import Answered, Verdict
from lab.load.records import Record
from lab.scenarios.bounds import share_bound, time_bound
from lab.scenarios.shapes import LandingExpectation, ProbeExpectation

S = 1_000_000_000
MS = 1_000_000


def _probe(lost_at):
    return [
        Record(0, at * 10 * MS, 0 if at in lost_at else at * 10 * MS + MS, "ams", 0)
        for at in range(200)
    ]


@pytest.mark.parametrize(
    ("lost_at", "healed", "ok"),
    [((), 0.0, True), ((102, 104, 130), 300.0, True), ((102, 199), 990.0, False)],
)
def test_a_probe_has_healed_when_its_last_lost_request_was_sent(lost_at, healed, ok):
    wanted = ProbeExpectation(text="", probe="own", healed=time_bound("<= 500ms"), after=1)
    measured = Measured(
        records={"own": _probe(lost_at)}, samples=(), events=(), steps=[S], end_ns=2 * S
    )
    (row,) = evaluate(wanted, measured)
    assert (row.measured, row.ok) == (healed, ok)


def _held(t_ms, *prefixes):
    return ReceivedSample(t_ms * MS, {"ams": frozenset(("t3", each) for each in prefixes)})


def test_routes_are_back_when_all_that_was_held_is_held_again_for_good():
    before, gone, half = _held(0, "a", "b"), _held(200, "c"), _held(600, "a")
    flaps = [before, gone, _held(400, "a", "b"), half, _held(800, "a", "b", "c")]
    assert back_after(flaps, "ams", 100 * MS, 2 * S) == 700.0
    assert back_after([before, gone, half], "ams", 100 * MS, 2 * S) is None
    assert back_after(flaps[1:], "ams", 100 * MS, 2 * S) is None
    assert back_after([_held(0), *flaps[1:]], "ams", 100 * MS, 2 * S) is None


def test_birds_routes_are_read_off_its_control_socket():
    said = (
        b"1007-Table master4:\n"
        b" 198.18.0.0/22        unicast [ams_v4 22:10:11.123] * (100) [AS64500i]\n"
        b" \tvia 10.3.1.2 on eth1\n"
        b"1007-2001:db8::/46     unicast [ams_v6 22:10:11.123] (100) [AS64500i]\n0000 \n"
    )
    assert _BIRD_ROUTE.findall(said) == [b"198.18.0.0/22", b"2001:db8::/46"]


def _sample(t_ns, **ends):
    return Sample(
        t_ns,
        {
            Answered(client, family, "fra"): Verdict(end=end, layers="gone" if dead else "")
            for client, answers in ends.items()
            for family, end, dead in answers
        },
    )


def test_the_fullest_pop_carries_what_all_its_answers_bring():
    sample = _sample(
        S,
        c1=[("v4", "ams", False), ("v6", "fra", False)],
        c2=[("v4", "ams", False)],
        c3=[("v4", "lhr", True)],
    )
    demand = {"c1": 100.0, "c2": 200.0, "c3": 400.0}
    assert loads(sample, demand) == {"ams": 250.0, "fra": 50.0}
    steadiness = Steadiness(
        zero_ns=0,
        routes=RouteLog({}, (), Addresses({}, {})),
        demand=demand,
        capacity={"ams": 1000.0, "fra": 50.0},
    )
    wanted = LandingExpectation(text="", bound=share_bound("<= 90%"))
    measured = Measured(
        records={}, samples=[sample], events=(), steps=(), end_ns=2 * S, steadiness=steadiness
    )
    (row,) = evaluate(wanted, measured)
    assert (row.measured, row.ok) == (1.0, False)
    assert "fra at 1.00 s" in row.why


def test_a_look_that_began_before_the_fault_and_ended_after_it_is_no_state_before_it():
    whole, some = frozenset({("t1", "a"), ("t2", "a")}), frozenset({("t1", "a")})
    samples = [
        ReceivedSample(0, {"ams": whole}, 2),
        ReceivedSample(8, {"ams": some}, 12),
        ReceivedSample(13, {"ams": some}, 15),
        ReceivedSample(2_000_000, {"ams": whole}, 3_000_010),
    ]
    assert back_after(samples, "ams", 10, 9_000_000) == 3.0
