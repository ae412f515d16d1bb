"""`lab run FILE...`: scenarios from the command line."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import structlog
import typer

from lab.reports.page import write_report
from lab.running.host import when_quiet
from lab.running.scenario import as_json, run_scenario
from lab.scenarios.located import ScenarioError
from lab.scenarios.parsing import read_scenario

BAD_INPUT = 2


def add_commands(app: typer.Typer) -> None:
    """Put `run` beside the lab's other commands."""
    app.command("run")(run)


def run(
    files: Annotated[list[Path], typer.Argument(help="Scenario files.")],
    json: Annotated[Path | None, typer.Option(help="Write the result there.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write pages into this folder.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials per cell.")] = None,
) -> None:
    """Run scenarios: exit 0 where all expectations hold, 1 where not, 2 on bad input."""
    try:
        scenarios = [read_scenario(file) for file in files]
    except ScenarioError as fault:
        say(f"lab run: {fault}")
        raise typer.Exit(BAD_INPUT) from None
    stop_cleanly()
    results = []
    for scenario in scenarios:
        host = when_quiet()
        if not host.quiet:
            say(f"{scenario.name}: this machine is busy (load {host.load}): not a valid run")
        results.append(run_scenario(scenario, host, say, trials))
    if json is not None:
        json.write_bytes(as_json(results))
    if report is not None:
        for page in write_report(results, report):
            say(f"report: {page}")
    raise typer.Exit(0 if all(each.ok for each in results) else 1)


def say(line: str) -> None:
    """A line for people, beside whatever goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def stop_cleanly() -> None:
    """SIGTERM unwinds the stack, so that the lab is taken down; logs are kept to warnings."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
