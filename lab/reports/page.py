"""One self-contained HTML page per scenario: verdict, figures beside the baselines, timeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2

from lab.reports.plot import draw
from lab.running.results import Result, Trial

MOST_ROWS = 400


def write_report(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write `folder`/<scenario>.html for every result; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for result in results:
        path = folder / f"{result.scenario}.html"
        path.write_text(page(result), encoding="utf-8")
        written.append(path)
    return written


def page(result: Result) -> str:
    """The page's HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.j2")
    return template.render(
        result=result,
        plots=[_plots(trial) for trial in result.trials],
        probes=list(dict.fromkeys(name for trial in result.trials for name in trial.probes)),
        most_rows=MOST_ROWS,
    )


def _plots(trial: Trial) -> list[str]:
    return [draw(trial, step) for step in range(len(trial.steps_ms))]
