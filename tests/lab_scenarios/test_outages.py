from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.load.outages import figures, gaps
from lab.load.plan import Probe
from lab.load.records import Record, Recorder, read_records
from lab.load.sending import due_ns
from lab.scenarios.targets import AddressTarget

MS = 1_000_000


def records(pattern, who="ams"):
    """One request each 10 ms: `.` answered after 2 ms, `x` lost."""
    return [
        Record(0, i * 10 * MS, 0 if mark == "x" else (i * 10 + 2) * MS, who, 0)
        for i, mark in enumerate(pattern)
    ]


def test_an_outage_lasts_from_the_last_answer_before_it_to_the_first_after_it_by_send_time():
    found = figures(records("...xxx..."))
    assert (found.sent, found.lost, found.outage_ms) == (9, 3, 40.0)


def test_the_longest_gap_counts_and_all_losses_do():
    found = figures(records("..x..xx..x"))
    assert (found.lost, found.outage_ms) == (4, 30.0)


def test_without_losses_there_is_no_outage():
    assert figures(records(".....")).outage_ms == 0.0


def test_what_never_heals_lasts_until_the_last_request():
    found = figures(records("..xxxx"), step_ns=15 * MS)
    assert found.outage_ms == 40.0
    assert found.first_ok_ms is None


def test_the_first_answer_after_the_gap_is_told_from_the_first_step_on():
    assert figures(records("...xx..."), step_ns=25 * MS).first_ok_ms == 25.0


def test_a_gap_from_the_very_start_counts_from_the_first_request():
    assert figures(records("xx..")).outage_ms == 20.0


def test_the_pop_that_served_before_the_first_step_is_named():
    every = [*records("..."), Record(0, 40 * MS, 41 * MS, "fra", 0)]
    assert figures(every, step_ns=30 * MS).served_by == "ams"


def test_nothing_sent_is_nothing_lost():
    assert figures([]).sent == 0
    assert gaps([]) == ()


@given(st.text(alphabet=".x", max_size=60))
def test_gaps_hold_exactly_the_lost_requests_and_do_not_overlap(pattern):
    found = gaps(records(pattern))
    assert sum(gap.lost for gap in found) == pattern.count("x")
    assert all(a.end_ns <= b.start_ns for a, b in pairwise(found))
    assert all(gap.open == (gap is found[-1] and pattern.endswith("x")) for gap in found)


def test_requests_are_due_on_a_fixed_schedule_that_never_drifts():
    probe = Probe(name="a", kind="udp", target=AddressTarget("192.0.2.1"), rate=300, phase=0.5)
    assert due_ns(1000, probe, 0) == 1000 + round(0.5 / 300 * 1e9)
    assert due_ns(0, probe, 3_000_000) == round(3_000_000.5 / 300 * 1e9)


def test_records_survive_their_file_and_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "records"
    recorder = Recorder(str(path))
    for record in reversed(records("..x")):
        recorder.take(record)
    recorder.close()
    path.write_bytes(path.read_bytes() + b"[0,12")
    assert read_records(path) == tuple(records("..x"))


@pytest.mark.parametrize(("pattern", "answered"), [("x", False), (".", True)])
def test_an_answered_record_has_a_reply_time(pattern, answered):
    assert records(pattern)[0].answered is answered
