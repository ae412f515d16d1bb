"""What was refused is refused by name, in what hosts and the controller say, and counted."""

from __future__ import annotations

import json

import pytest

from ambicast.contract.codec import Stamp, encode
from ambicast.contract.messages import Outcome, Receipt
from lab.judging.refusals import Refusal, refused
from lab.running.refusing import _of_line, counted, of_message
from lab.scenarios.located import ScenarioError, parse_located
from lab.scenarios.parsing import parse_scenario
from lab.scenarios.shapes import RefusedExpectation
from lab.scenarios.substitution import filled_expectation

HEAD = """\
scenario: a
topology: three-pops
let: {victim: "catchment(c1, www.anycast.v4)"}
load:
  - {from: c1, probe: udp, to: www.anycast.v4, rate: 1/s}
steps:
  - {at: 1s, do: silence, node: ams}
expect:
"""
TOPIC = "ambicast/v1/lab/pops/ams/ams-1/receipt"


def read(expect):
    return parse_scenario(parse_located(f"{HEAD}  - {expect}\n", "a.yaml")).expect[0]


def row(wanted, *found, since=0):
    return refused(wanted, [Refusal(*each) for each in found], since, "")


def test_everybody_who_is_meant_must_have_refused_it_for_that_reason():
    wanted = read('{refused: [ams-1, lhr-1], because: "8.8.8.0/24", after: 1}')
    one = (10, "ams-1", "8.8.8.0/24 through north: is not allowed")
    assert row(wanted, one, (11, "lhr-1", "x; 8.8.8.0/24 through south: no")).ok
    assert not row(wanted, one).ok
    found = row(wanted, one, (11, "lhr-1", "stale: epoch 1"))
    assert (found.measured, found.ok) == (0, False)
    assert "lhr-1: stale: epoch 1" in found.why
    assert not row(wanted, one, (11, "lhr-1", "8.8.8.0/24"), since=11).ok


def test_once_is_not_often_enough_where_more_is_wanted():
    wanted = read('{refused: controller, because: "counted", at_least: 2}')
    assert isinstance(wanted, RefusedExpectation)
    assert not row(wanted, (1, "controller", "counted")).ok
    assert row(wanted, (1, "controller", "counted"), (2, "controller", "counted")).ok


def test_whose_refusal_is_meant_is_filled_in():
    wanted = read('{refused: $victim-1, because: "stale"}')
    assert filled_expectation(wanted, {"victim": "lhr"}).who == ("lhr-1",)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{refused: cdg-1, because: x}", "ams-1, fra-1, lhr-1, $victim-1, controller"),
        ("{refused: ams-1}", "'because' is missing"),
        ("{refused: ams-1, because: x, at_least: 0}", "from 1"),
        ("{refused: [], because: x}", "refused is empty"),
        ("{refused: ams-1, because: x, after: 2}", "1 to 1"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(expect, said):
    with pytest.raises(ScenarioError, match=r"a\.yaml:9: ") as fault:
        read(expect)
    assert said in str(fault.value)


def test_a_receipt_that_refuses_is_a_refusal_with_all_its_reasons_and_others_are_not():
    payload = encode(Receipt(outcome=Outcome.REFUSED, refusals=("a", "b")), Stamp(1, 2))
    assert of_message("lab", TOPIC, payload, 5) == Refusal(5, "ams-1", "a; b")
    good = encode(Receipt(outcome=Outcome.ACCEPTED), Stamp(1, 2))
    assert of_message("lab", TOPIC, good, 5) is None
    assert of_message("lab", TOPIC, b"\xff", 5) is None
    assert of_message("lab", TOPIC.replace("receipt", "order"), payload, 5) is None


def test_an_error_in_a_log_is_a_refusal_that_says_all_of_it():
    line = {
        "event": "settings kept", "why": "fleet.yaml: no", "host": "ams-1", "level": "error",
        "timestamp": "2026-01-01T00:00:01.5Z",
    }  # fmt: skip
    found = _of_line(json.dumps(line), "agent")
    assert found == Refusal(1767225601_500000000, "ams-1", "settings kept fleet.yaml: no")
    assert _of_line(json.dumps(line | {"level": "info", "event": "error"}), "agent") is None
    assert _of_line('Traceback "error"', "agent") is None
    assert _of_line(json.dumps(line), "controller").who == "controller"


def test_each_fault_more_is_counted_also_after_a_restart():
    assert len(counted([(0, 4), (1, 6), (2, 1), (3, 0)])) == 3
    assert [each.t_ns for each in counted([(0, 4), (7, 5)])] == [7]
    assert counted([(0, 9)]) == []
