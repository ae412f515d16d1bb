"""`lab bench NAME`: a named benchmark from the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from lab.bench import failover, weather
from lab.bench.figures import Figure, bounded, missed, offences
from lab.bench.machine import Machine, machine
from lab.reports.page import write_report
from lab.running.commands import BAD_INPUT, say, stop_cleanly
from lab.running.host import when_quiet
from lab.running.results import Result
from lab.running.scenario import run_scenario
from lab.scenarios.parsing import read_scenario


class Named(msgspec.Struct, frozen=True):
    """A benchmark: scenarios, and how figures are drawn from their results."""

    folder: Path
    scenarios: tuple[str, ...]
    figures: Callable[[Mapping[str, Result]], tuple[Figure, ...]]
    minutes: float  # how long the whole may take


KNOWN: Final[Mapping[str, Named]] = {
    "failover": Named(failover.FOLDER, failover.SCENARIOS, failover.figures, 45),
    "weather": Named(weather.FOLDER, weather.SCENARIOS, weather.figures, 45),
}
WIDTH: Final = 132


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What `lab bench --json` writes; `results` are the runs the figures were drawn from."""

    bench: str
    host: Machine
    valid: bool
    minutes: float
    figures: tuple[Figure, ...]
    plots: tuple[str, ...]
    results: tuple[Result, ...]
    ok: bool


def add_commands(app: typer.Typer) -> None:
    """Put `bench` beside the lab's other commands."""
    app.command("bench")(bench)


def bench(
    name: Annotated[str, typer.Argument(help="failover or weather")],
    json: Annotated[Path | None, typer.Option(help="Write the result there.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write pages into this folder.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials per cell.")] = None,
) -> None:
    """Run a benchmark: exit 0 where all it expects holds, 1 where not, 2 on bad input."""
    if name not in KNOWN:
        say(f"lab bench: no benchmark {name!r}; allowed: {', '.join(KNOWN)}")
        raise typer.Exit(BAD_INPUT)
    stop_cleanly()
    begun = time.monotonic()
    host = when_quiet()
    results: dict[str, Result] = {}
    chosen = KNOWN[name]
    for scenario in chosen.scenarios:
        read = read_scenario(chosen.folder / f"{scenario}.yaml")
        results[scenario] = run_scenario(read, host, say, trials)
    pages = write_report(list(results.values()), report) if report is not None else []
    minutes = round((time.monotonic() - begun) / 60, 1)
    figures = (
        *chosen.figures(results),
        missed(results.values()),
        bounded("minutes", minutes, chosen.minutes, "min", {}),
    )
    done = Bench(
        bench=name,
        host=machine(host),
        valid=host.quiet,
        minutes=minutes,
        figures=figures,
        plots=tuple(str(page) for page in pages),
        results=tuple(results.values()),
        ok=host.quiet and all(figure.ok for figure in figures),
    )
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=1) + b"\n")
    show(done)
    raise typer.Exit(0 if done.ok else 1)


def show(done: Bench) -> None:
    """The table, each baseline's figure beside ours."""
    aside = list(dict.fromkeys(name for figure in done.figures for name in figure.baselines))
    table = Table(title=f"bench {done.bench}: {done.minutes:g} min, load {done.host.load:g}")
    table.add_column("figure", no_wrap=True)
    for column in ("value", "bound", "", *aside):
        table.add_column(column, justify="right", min_width=6)
    for figure in done.figures:
        cells = [_cell(figure.baselines[n]) if n in figure.baselines else "" for n in aside]
        table.add_row(
            figure.name,
            f"{_cell(figure.value)} {figure.unit}",
            figure.bound,
            "ok" if figure.ok else "NOT OK",
            *cells,
        )
    Console(width=WIDTH).print(table)
    for result in done.results:
        for line in offences(result):
            say(f"{result.scenario}: {line}")
    if not done.valid:
        say(f"this machine was busy (load {done.host.load:g}): not a valid run")


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
