"""Expectations against what a trial measured: one row per bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

from lab.judging.agreement import MS, Sample, agreement
from lab.judging.egress import egress
from lab.judging.landing import landing
from lab.judging.refusals import refused
from lab.judging.rows import Happening, Row
from lab.judging.steadiness import (
    Steadiness,
    route_count,
    route_time,
    since_step,
    steady,
    takeovers,
)
from lab.load.outages import figures
from lab.load.records import Record
from lab.scenarios.bounds import Bound
from lab.scenarios.shapes import (
    AgreeExpectation,
    EgressExpectation,
    EventExpectation,
    Expectation,
    LandingExpectation,
    ProbeExpectation,
    RefusedExpectation,
    RouteCountExpectation,
    RouteTimeExpectation,
    SteadyExpectation,
    TakeoverExpectation,
)

_Steady = (
    RouteCountExpectation
    | RouteTimeExpectation
    | TakeoverExpectation
    | SteadyExpectation
    | LandingExpectation
    | RefusedExpectation
    | EgressExpectation
)
__all__ = ["Happening", "Measured", "Row", "evaluate"]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """All that a trial measured.

    Attributes:
        records: by probe name, by send time.
        steps: when each step was begun.
        end_ns: when watching ended.
        steadiness: of all that should not have moved; None where nobody looked.
    """

    records: Mapping[str, Sequence[Record]]
    samples: Sequence[Sample]
    events: Sequence[Happening]
    steps: Sequence[int]
    end_ns: int
    steadiness: Steadiness | None = None


def evaluate(expectation: Expectation, measured: Measured) -> tuple[Row, ...]:
    """The rows of one expectation."""
    match expectation:
        case ProbeExpectation():
            return _of_probe(expectation, measured)
        case AgreeExpectation():
            return (_of_layers(expectation, measured),)
        case EventExpectation():
            return (_of_event(expectation, measured),)
        case _:
            return (_of_steadiness(expectation, measured),)


def _of_steadiness(expectation: _Steady, measured: Measured) -> Row:
    found = measured.steadiness
    if found is None:
        return Row(text=expectation.text, measured=None, bound="", ok=False, why="nobody looked")
    match expectation:
        case RouteCountExpectation():
            return route_count(expectation, found, measured)
        case RouteTimeExpectation():
            return route_time(expectation, found, measured)
        case TakeoverExpectation():
            return takeovers(expectation, found, measured)
        case SteadyExpectation():
            return steady(expectation, found, measured)
        case LandingExpectation():
            return landing(expectation, measured.samples, found, measured)
        case EgressExpectation():
            start, end = _span(expectation.after, measured)
            return egress(expectation, found.egress, start, end)
        case RefusedExpectation():
            since, scope = since_step(expectation.after, found, measured)
            return refused(expectation, found.refusals, since, scope)
        case _:
            assert_never(expectation)


def _of_probe(expectation: ProbeExpectation, measured: Measured) -> tuple[Row, ...]:
    records = measured.records[expectation.probe]
    scope = ""
    if expectation.after is not None:
        since = measured.steps[expectation.after - 1]
        records = [record for record in records if record.sent_ns >= since]
        scope = f" after step {expectation.after}"
    found = figures(records)
    rows = []
    if expectation.outage is not None:
        text = f"{expectation.probe}: outage{scope}"
        row = _row(text, found.outage_ms if found.sent else None, expectation.outage, "ms")
        before = figures(records, measured.steps[0]).served_by if measured.steps else ""
        rows.append(msgspec.structs.replace(row, why=f"served by {before}" if before else ""))
    if expectation.lost is not None:
        text = f"{expectation.probe}: lost{scope}"
        rows.append(_row(text, found.lost if found.sent else None, expectation.lost, ""))
    if expectation.healed is not None:
        start = measured.steps[(expectation.after or 1) - 1]
        last = max((r.sent_ns for r in records if not r.answered), default=start)
        taken = round(max(0, last - start) / MS, 1) if found.sent else None
        text = f"{expectation.probe}: healed{scope}"
        rows.append(_row(text, taken, expectation.healed, "ms"))
    if expectation.served is not None:
        rows.append(
            _served(f"{expectation.probe}: served in the end", records, expectation.served)
        )
    if expectation.left is not None:
        row = _served(f"{expectation.probe}: served in the end", records, expectation.left)
        ok = row.measured is not None and not row.ok
        rows.append(msgspec.structs.replace(row, bound=f"not {expectation.left}", ok=ok))
    return tuple(rows)


def _served(text: str, records: Sequence[Record], wanted: str) -> Row:
    last = next((record.who for record in reversed(records) if record.answered), None)
    return Row(text=text, measured=last, bound=wanted, ok=last == wanted, unit="")


def _row(text: str, measured: float | None, bound: Bound, unit: str) -> Row:
    return Row(text=text, measured=measured, bound=bound.text, ok=bound.holds(measured), unit=unit)


def _of_layers(expectation: AgreeExpectation, measured: Measured) -> Row:
    start, end = _span(expectation.after, measured)
    found = agreement(measured.samples, expectation.layer, start, end)
    what = "layers agree" if expectation.layer == "layers" else "new answers right"
    within_ms = expectation.within * 1e3
    return Row(
        text=f"{what} after step {expectation.after}",
        measured=found.from_ms,
        bound=f"<= {within_ms:g} ms",
        ok=found.from_ms is not None and found.from_ms <= within_ms,
        why=found.last_fault,
    )


def _of_event(expectation: EventExpectation, measured: Measured) -> Row:
    start, end = _span(expectation.after, measured)
    times = [e.t_ns for e in measured.events if e.kind == expectation.kind and e.t_ns >= start]
    first = min((t for t in times if t < end), default=None)
    taken = None if first is None else round((first - start) / MS, 1)
    within_ms = expectation.within * 1e3
    seen = sorted({event.kind for event in measured.events if event.t_ns >= start})
    return Row(
        text=f"event {expectation.kind} after step {expectation.after}",
        measured=taken,
        bound=f"<= {within_ms:g} ms",
        ok=taken is not None and taken <= within_ms,
        why="" if taken is not None else f"seen instead: {', '.join(seen) or 'nothing'}",
    )


def _span(after: int, measured: Measured) -> tuple[int, int]:
    """From step number `after` until the next one, or the end."""
    following = measured.steps[after:]
    return measured.steps[after - 1], following[0] if following else measured.end_ns
