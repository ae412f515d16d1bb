"""The timeline drawn: one lane per layer, one per probe with its requests as ticks; SVG text."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Final

import matplotlib as mpl

mpl.use("svg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.running.results import AROUND_MS, Trial
from lab.timeline.entries import LAYERS, Moment

# Distinguishable also for colour-blind readers (Okabe and Ito, 2008).
COLOURS: Final[Mapping[str, str]] = {
    "fault": "#000000",
    "watch": "#CC79A7",
    "mqtt": "#E69F00",
    "decision": "#D55E00",
    "bgp": "#0072B2",
    "fib": "#56B4E9",
    "dns": "#009E73",
    "probe": "#666666",
}
BEFORE_MS, AFTER_MS = AROUND_MS


def draw(trial: Trial, step: int = 0) -> str:
    """An SVG of the moments around one step (from 0); empty where there was no step."""
    if not trial.steps_ms:
        return ""
    zero = trial.steps_ms[step]
    end = zero + AFTER_MS
    inside = [m for m in trial.timeline if zero - BEFORE_MS <= m.t_ms <= end]
    lanes = [*LAYERS[:-1], *trial.probes]
    figure = Figure(figsize=(11, 0.42 * len(lanes) + 1.2))
    axes = figure.add_subplot()
    _lanes(axes, lanes, inside, zero)
    _probes(axes, trial, lanes, zero, end)
    _steps(axes, trial, zero, end)
    axes.set_xlim(-BEFORE_MS, end - zero)
    axes.set_yticks(range(len(lanes)), lanes)
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.set_xlabel(f"milliseconds since step {step + 1}")
    axes.grid(axis="x", alpha=0.25)
    figure.tight_layout()
    return _svg(figure)


def _lanes(axes: Axes, lanes: Sequence[str], moments: Sequence[Moment], zero: float) -> None:
    for place, lane in enumerate(lanes[: len(LAYERS) - 1]):
        times = [m.t_ms - zero for m in moments if m.layer == lane]
        axes.vlines(times, place - 0.35, place + 0.35, color=COLOURS[lane], linewidth=1.2)


def _probes(axes: Axes, trial: Trial, lanes: Sequence[str], zero: float, end: float) -> None:
    for place, lane in enumerate(lanes):
        if lane not in trial.ticks:
            continue
        ticks = trial.ticks[lane]
        for times, colour in ((ticks.answered, "#009E73"), (ticks.lost, "#D55E00")):
            near = [t - zero for t in times if zero - BEFORE_MS <= t <= end]
            axes.vlines(near, place - 0.3, place + 0.3, color=colour, linewidth=0.6)


def _steps(axes: Axes, trial: Trial, zero: float, end: float) -> None:
    for t in trial.steps_ms:
        if zero - BEFORE_MS <= t <= end:
            axes.axvline(t - zero, color="black", linestyle="--", linewidth=0.8)


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "ambicast", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
