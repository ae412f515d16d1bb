"""What only bad weather asks: when it healed, what routers hold, how full PoPs are."""

from __future__ import annotations

import pytest

from lab.judging.agreement import Sample
from lab.judging.egress import EgressSample, egress
from lab.judging.expectations import Measured, evaluate
from lab.judging.landing import loads
from lab.judging.received import _BIRD_ROUTE, ReceivedSample, back_after
from lab.judging.routing import Addresses, RouteLog
from lab.judging.steadiness import Steadiness
from lab.judging.world import Answered, Verdict
from lab.load.records import Record
from lab.scenarios.bounds import share_bound, time_bound
from lab.scenarios.shapes import EgressExpectation, LandingExpectation, ProbeExpectation

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


def test_answers_leave_by_a_router_from_when_they_do_so_for_good():
    def at(t_ms, v4, v6="t4"):
        return EgressSample(t_ms * MS, {("ams", "ams", "v4"): v4, ("ams", "ams", "v6"): v6})

    wanted = EgressExpectation(text="", router="t4", pop="ams", within=1.0, after=1)
    looks = [at(0, "t3"), at(300, "t4"), at(600, "t3"), at(900, "t4"), at(1200, "t4")]
    found = egress(wanted, looks, 0, 1500 * MS)
    assert (found.measured, found.ok) == (900.0, True)
    assert not egress(wanted, looks, 0, 700 * MS).ok
    assert not egress(wanted, [at(0, "t4", "")], 0, 700 * MS).ok
    assert not egress(wanted, [], 0, 700 * MS).ok


def test_a_probe_that_should_have_left_a_pop_must_be_answered_by_another():
    wanted = ProbeExpectation(text="", probe="own", left="ams")

    def judged(records):
        measured = Measured(
            records={"own": records}, samples=(), events=(), steps=[S], end_ns=2 * S
        )
        (row,) = evaluate(wanted, measured)
        return row.ok

    assert not judged(_probe(()))
    assert not judged(_probe(range(200)))
    assert judged([*_probe(()), Record(0, 3 * S, 3 * S + MS, "fra", 0)])
