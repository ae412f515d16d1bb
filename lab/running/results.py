"""What `lab run --json` writes; `docs/lab.md` explains the fields to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from lab.judging.expectations import Row
from lab.load.outages import Figures
from lab.load.records import Record
from lab.running.host import Host
from lab.timeline.entries import MS, Moment

AROUND_MS: Final = (500.0, 2500.0)  # before and after a step: what the plots show


class Ticks(msgspec.Struct, frozen=True):
    """Send times of requests, milliseconds since the load started; enough to draw them."""

    answered: tuple[float, ...]
    lost: tuple[float, ...]


def ticks(records: Sequence[Record], steps_ns: Sequence[int], zero_ns: int) -> Ticks:
    """The requests sent within `AROUND_MS` of a step."""
    before, after = (round(each * MS) for each in AROUND_MS)
    near = [r for r in records if any(s - before <= r.sent_ns <= s + after for s in steps_ns)]
    return Ticks(
        tuple(round((r.sent_ns - zero_ns) / MS) for r in near if r.answered),
        tuple(round((r.sent_ns - zero_ns) / MS) for r in near if not r.answered),
    )


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One lab from its start to its end.

    Attributes:
        params: the cell of the matrix.
        seed: of the dice that shift the load against all other timers.
        let: what the scenario's names stood for.
        steps_ms: when each step was begun, since the load started.
        ticks: by probe, the requests around each step.
        load: the machine's load average when it began.
        error: why it could not be carried out; empty where it was.
    """

    params: Mapping[str, str]
    seed: int
    probes: Mapping[str, Figures] = {}
    timeline: tuple[Moment, ...] = ()
    expect: tuple[Row, ...] = ()
    let: Mapping[str, str] = {}
    steps_ms: tuple[float, ...] = ()
    ticks: Mapping[str, Ticks] = {}
    load: float = 0.0
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was carried out and everything held."""
        return not self.error and all(row.ok for row in self.expect)


class BaselineTrial(msgspec.Struct, frozen=True, kw_only=True):
    """The same steps with one technique alone, in one cell of the matrix."""

    params: Mapping[str, str]
    probes: Mapping[str, Figures]
    let: Mapping[str, str] = {}
    error: str = ""


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """One baseline: its worst figures per probe over all cells, and each cell's own."""

    probes: Mapping[str, Figures]
    cells: tuple[BaselineTrial, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario."""

    scenario: str
    engine: str
    delay: str
    host: Host
    valid: bool
    trials: tuple[Trial, ...]
    baselines: Mapping[str, Baseline]
    ok: bool


def result(
    scenario: str,
    lab: tuple[str, str],
    host: Host,
    trials: tuple[Trial, ...],
    baselines: Mapping[str, tuple[BaselineTrial, ...]],
) -> Result:
    """Everything together; `lab` is (engine, delay). A run on a busy machine is never ok."""
    return Result(
        scenario=scenario,
        engine=lab[0],
        delay=lab[1],
        host=host,
        valid=host.quiet,
        trials=trials,
        baselines={
            name: Baseline(probes=_worst(cells), cells=cells) for name, cells in baselines.items()
        },
        ok=host.quiet and bool(trials) and all(trial.ok for trial in trials),
    )


def _worst(cells: tuple[BaselineTrial, ...]) -> dict[str, Figures]:
    worst: dict[str, Figures] = {}
    for cell in cells:
        for name, figures in cell.probes.items():
            if name not in worst or figures.outage_ms > worst[name].outage_ms:
                worst[name] = figures
    return worst
