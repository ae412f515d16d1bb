"""A whole scenario: every cell of its matrix, every trial, then the baselines once per cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from lab.running.cell import Cell
from lab.running.host import Host
from lab.running.results import BaselineTrial, Result, Trial, result
from lab.running.trial import run_trial
from lab.scenarios.matrix import cells
from lab.scenarios.shapes import Scenario

Say = Callable[[str], None]
RunTrial = Callable[[Cell], tuple[Trial, str]]


def run_scenario(
    scenario: Scenario,
    host: Host,
    say: Say,
    trials: int | None = None,
    run_trial: RunTrial = run_trial,
) -> Result:
    """Run `scenario`.

    Args:
        scenario: what to run.
        host: the machine as it was found before anything of this run began.
        say: told of each trial's outcome, for people.
        trials: instead of the scenario's own number.
        run_trial: carries one cell out.
    """
    done: list[Trial] = []
    baselines: dict[str, list[BaselineTrial]] = {name: [] for name in scenario.baselines}
    delay = "none"
    for params in cells(scenario):
        for seed in range(1, (trials or scenario.trials) + 1):
            cell = Cell(scenario=scenario, params=params, seed=seed)
            trial, delay = run_trial(cell)
            done.append(trial)
            say(told(cell, trial))
        for name in scenario.baselines:
            cell = Cell(scenario=scenario, params=params, seed=1, baseline=name)
            trial, _ = run_trial(cell)
            say(told(cell, trial))
            baselines[name].append(
                BaselineTrial(params=params, probes=trial.probes, let=trial.let, error=trial.error)
            )
    kept = {name: tuple(each) for name, each in baselines.items()}
    return result(scenario.name, ("netns", delay), host, tuple(done), kept)


def told(cell: Cell, trial: Trial) -> str:
    """One line on a trial, and one for each bound it broke."""
    if trial.error:
        return f"{cell.text}: FAILED: {trial.error}"
    probes = _probes(trial)
    if cell.baseline:
        return f"{cell.text}: {probes}"
    lines = [f"{cell.text}: {'ok' if trial.ok else 'NOT OK'} ({probes})"]
    lines += [
        f"    {row.text}: {row.measured} {row.unit}, wanted {row.bound}"
        + (f" ({row.why})" if row.why else "")
        for row in trial.expect
        if not row.ok
    ]
    return "\n".join(lines)


def _probes(trial: Trial) -> str:
    return ", ".join(
        f"{name} {figures.outage_ms:.0f} ms/{figures.lost} lost"
        for name, figures in trial.probes.items()
    )


def as_json(results: Sequence[Result]) -> bytes:
    """One result as it is, several as a list."""
    body = results[0] if len(results) == 1 else list(results)
    return msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n"
