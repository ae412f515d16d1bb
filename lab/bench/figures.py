"""Figures drawn from scenario results, with the names and bounds that the project promised."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from lab.judging.expectations import Row
from lab.running.results import BaselineTrial, Result, Trial

Pick = Callable[[Trial | BaselineTrial, str], bool]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a benchmark; `value` None: never measured, or it never came true."""

    name: str
    value: float | None
    unit: str
    bound: str
    ok: bool
    baselines: Mapping[str, float | None] = {}


OWN: Final = "own-"
ANYCAST: Final = "anycast-"


def own_affected(_: Trial | BaselineTrial, probe: str) -> bool:
    """Whether `probe` goes to the victim's own address."""
    return probe.startswith(OWN)


def anycast_affected(trial: Trial | BaselineTrial, probe: str) -> bool:
    """Whether `probe` goes to the anycast address, and the victim served it until the fault.

    The families of one client can sit on different PoPs; who was elsewhere lost nothing, and
    counting that would flatter the figure.
    """
    served = trial.probes[probe].served_by
    return probe.startswith(ANYCAST) and served in trial.let.values()


def any_probe(_: Trial | BaselineTrial, __: str) -> bool:
    """Every probe."""
    return True


def outages(result: Result, pick: Pick) -> list[float]:
    """The outages of all picked probes of all trials; an error anywhere leaves none."""
    if any(trial.error for trial in result.trials):
        return []
    return [
        figures.outage_ms
        for trial in result.trials
        for name, figures in trial.probes.items()
        if pick(trial, name)
    ]


def rows(result: Result, start: str) -> list[float | None]:
    """What all trials measured in the rows whose text begins so."""
    found: list[float | None] = []
    for trial in result.trials:
        if trial.error:
            return []
        found += [_number(row) for row in trial.expect if row.text.startswith(start)]
    return found


def lost_rows(result: Result, of: str = ": lost") -> list[float | None]:
    """What all trials lost, by the rows that bound losses."""
    found: list[float | None] = []
    for trial in result.trials:
        if trial.error:
            return []
        found += [_number(row) for row in trial.expect if of in row.text]
    return found


def _number(row: Row) -> float | None:
    return None if isinstance(row.measured, str) else row.measured


def median(values: Sequence[float]) -> float | None:
    """The 50th percentile; None of nothing."""
    return round(statistics.median(values), 1) if values else None


def worst(values: Iterable[float | None]) -> float | None:
    """The largest; None where one of them is None, or there are none."""
    found = list(values)
    measured = [value for value in found if value is not None]
    return max(measured) if measured and len(measured) == len(found) else None


def total(values: Iterable[float | None]) -> float | None:
    """The sum; None where one of them is None, or there are none."""
    found = list(values)
    measured = [value for value in found if value is not None]
    return sum(measured) if measured and len(measured) == len(found) else None


def bounded(
    name: str,
    value: float | None,
    limit: float,
    unit: str,
    baselines: Mapping[str, float | None],
) -> Figure:
    """A figure that must not exceed `limit`."""
    return Figure(
        name=name,
        value=value,
        unit=unit,
        bound=f"<= {limit:g}",
        ok=value is not None and value <= limit,
        baselines=baselines,
    )


def beside(
    result: Result, pick: Pick, fold: Callable[[list[float]], float | None]
) -> dict[str, float | None]:
    """The same figure of every baseline."""
    found: dict[str, float | None] = {}
    for name, baseline in result.baselines.items():
        values = [
            figures.outage_ms
            for cell in baseline.cells
            for probe, figures in cell.probes.items()
            if pick(cell, probe)
        ]
        found[name] = fold(values)
    return found


def offences(result: Result) -> list[str]:
    """Every expectation of a scenario that did not hold, and every trial that came to nothing."""
    found = []
    for trial in result.trials:
        cell = ", ".join(f"{name}={value}" for name, value in trial.params.items())
        if trial.error:
            found.append(f"{cell}: {trial.error}")
        bad = (row for row in trial.expect if not row.ok)
        found += [f"{cell}: {row.text}: {row.measured}, wanted {row.bound}" for row in bad]
    return found


def missed(results: Iterable[Result]) -> Figure:
    """How many expectations did not hold: those behind no other figure too."""
    found = [line for result in results for line in offences(result)]
    return bounded("expectations_missed", len(found), 0, "rows", {})
