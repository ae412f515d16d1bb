from __future__ import annotations

import pytest

from lab.judging.agreement import Sample, agreement
from lab.judging.expectations import Happening, Measured, evaluate
from lab.judging.world import Answered, Verdict, World, judge
from lab.load.records import Record
from lab.scenarios.bounds import count_bound, time_bound
from lab.scenarios.shapes import AgreeExpectation, EventExpectation, ProbeExpectation, Step

MS = 1_000_000
OWNERS = {"198.18.0.10": "ams", "198.18.128.10": "fra"}
ALL = frozenset({"ams", "fra", "lhr"})
ASKED = Answered("c1", "v4", "fra")


def step(action, **arguments):
    return Step(at=0, action=action, arguments=arguments)


def look(address, end, healthy=ALL, world=World()):  # noqa: B008 - frozen
    return judge(address, end, OWNERS, healthy, world)


def test_an_answer_that_leads_to_a_living_pop_whose_service_answers_agrees():
    assert look("198.18.0.10", "ams") == Verdict()


def test_an_anycast_answer_agrees_wherever_it_ends():
    assert look("198.19.254.1", "lhr") == Verdict()


@pytest.mark.parametrize(
    ("address", "end", "healthy", "dead", "why"),
    [
        (None, None, ALL, set(), "no answer"),
        ("198.18.0.10", None, ALL, set(), "leads nowhere"),
        ("198.18.0.10", "ams", ALL, {"ams"}, "dead"),
        ("198.18.0.10", "ams", ALL - {"ams"}, set(), "does not answer"),
        ("198.18.0.10", "t3", ALL, set(), "does not answer"),
    ],
)
def test_every_other_answer_disagrees_and_says_why(address, end, healthy, dead, why):
    verdict = look(address, end, healthy, World(dead=frozenset(dead)))
    assert why in verdict.layers
    assert verdict.dns


def test_a_dead_pops_own_address_taken_over_agrees_but_is_no_right_answer_for_new_clients():
    verdict = look("198.18.0.10", "lhr", world=World(dead=frozenset({"ams"})))
    assert verdict.layers == ""
    assert "ams's own" in verdict.dns


def test_silence_takes_a_pop_and_its_nameserver_and_restoring_gives_both_back():
    world = World().after(step("silence", node="ams"))
    assert world.dead == {"ams"}
    assert world.living_nameservers(("ams", "fra")) == ("fra",)
    assert world.after(step("restore", node="ams")) == World()


def test_a_stopped_nameserver_is_not_asked_and_its_pop_lives_on():
    world = World().after(step("dns-stop", node="fra"))
    assert world.living_nameservers(("ams", "fra")) == ("ams",)
    assert world.dead == frozenset()
    assert world.after(step("dns-start", node="fra")) == World()


def samples(pattern, layer="layers"):
    bad = Verdict("leads nowhere", "wrong") if layer == "layers" else Verdict("", "wrong")
    return [
        Sample(i * 100 * MS, {ASKED: Verdict() if mark == "." else bad})
        for i, mark in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "since"),
    [("......", 0.0), ("xx....", 200.0), ("xx.x..", 400.0), ("..x...", 300.0), (".....x", None)],
)
def test_agreement_counts_from_the_end_of_the_last_disagreement(pattern, since):
    assert agreement(samples(pattern), "layers", 0, 600 * MS).from_ms == since


def test_only_samples_of_the_span_count_and_none_is_no_agreement():
    assert agreement(samples("xx...x"), "layers", 200 * MS, 500 * MS).from_ms == 0.0
    assert agreement(samples("xx"), "layers", 300 * MS, 500 * MS).from_ms is None


def measured(records=(), pattern="", events=(), steps=(200,), end=600):
    return Measured(
        records={"udp": records},
        samples=samples(pattern),
        events=events,
        steps=[t * MS for t in steps],
        end_ns=end * MS,
    )


def requests(pattern):
    return [
        Record(0, i * 100 * MS, 0 if mark == "x" else (i * 100 + 1) * MS, "ams", 0)
        for i, mark in enumerate(pattern)
    ]


def test_a_probe_is_held_to_both_its_bounds_one_row_each():
    expectation = ProbeExpectation(
        text="", probe="udp", outage=time_bound("<= 300ms"), lost=count_bound("< 2")
    )
    rows = evaluate(expectation, measured(requests("..xx..")))
    assert [(row.measured, row.ok) for row in rows] == [(300.0, True), (2, False)]


def test_after_a_step_only_requests_sent_since_count():
    expectation = ProbeExpectation(text="", probe="udp", lost=count_bound("0"), after=1)
    assert evaluate(expectation, measured(requests("xx....")))[0].ok
    assert not evaluate(expectation, measured(requests("..x...")))[0].ok


def test_the_pop_that_answered_last_must_be_the_one_that_was_named():
    expectation = ProbeExpectation(text="", probe="udp", served="ams")
    assert evaluate(expectation, measured(requests("..x")))[0].ok
    elsewhere = ProbeExpectation(text="", probe="udp", served="fra")
    assert evaluate(elsewhere, measured(requests("...")))[0].measured == "ams"
    assert not evaluate(elsewhere, measured(requests("...")))[0].ok


def test_a_probe_that_sent_nothing_proves_nothing():
    expectation = ProbeExpectation(text="", probe="udp", lost=count_bound("0"))
    assert not evaluate(expectation, measured())[0].ok


@pytest.mark.parametrize(
    ("within", "ok"), [(0.2, True), (0.1, False)], ids=["in time", "too late"]
)
def test_layers_must_agree_within_their_time(within, ok):
    expectation = AgreeExpectation(text="", layer="layers", within=within, after=1)
    assert evaluate(expectation, measured(pattern="..xx.."))[0].ok is ok


def test_layers_are_judged_until_the_next_step_only():
    expectation = AgreeExpectation(text="", layer="layers", within=0, after=1)
    assert evaluate(expectation, measured(pattern="....xx", steps=(200, 400)))[0].ok


def test_an_event_counts_after_its_step_and_before_the_next():
    expectation = EventExpectation(text="", kind="plan.settled", within=0.3, after=1)
    early = Happening(100 * MS, "plan.settled", "")
    timely = Happening(450 * MS, "plan.settled", "")
    assert not evaluate(expectation, measured(events=[early]))[0].ok
    assert evaluate(expectation, measured(events=[early, timely]))[0].measured == 250.0
    assert not evaluate(expectation, measured(events=[timely], steps=(200, 400)))[0].ok
