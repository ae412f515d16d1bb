"""`bench weather` has every figure that was promised, and none that is good by accident."""

from __future__ import annotations

import pytest

from lab.bench import weather
from lab.judging.rows import Row
from lab.load.outages import Figures
from lab.running.results import Trial
from lab.running.scenario import run_scenario
from lab.scenarios.parsing import read_scenario
from tests.lab_scenarios.test_runs import QUIET

PROMISED = {
    "false_takeovers", "exabgp_kill_ms", "agent_lost", "deadman_ms", "bus_lost",
    "away_outage_max", "cut_route_changes", "uplink_cut_max", "uplink_silent_max", "family_lost",
    "mass_withdrawn", "ten_other_lost", "ten_two_max", "flap_withdrawals", "bad_input_lost",
    "host_outage_max", "overload_lost", "lossy_answers_ms", "lossy_moves", "uplink_flap_max",
    "uplink_flap_held_lost", "break_glass_gone_ms", "break_glass_held_moves",
}  # fmt: skip


def _texts(expectation):
    """The rows an expectation leads to, by their beginnings."""
    kind = type(expectation).__name__
    after = f" after step {expectation.after}" if expectation.after else ""
    if kind == "ProbeExpectation":
        words = [w for w in ("outage", "lost", "healed") if getattr(expectation, w) is not None]
        return [f"{expectation.probe}: {word}{after}" for word in words]
    return {
        "TakeoverExpectation": ["takeovers"],
        "EventExpectation": [f"event {getattr(expectation, 'kind', '')}"],
        "LandingExpectation": ["fullest PoP"],
        "RefusedExpectation": ["refused by"],
        "EgressExpectation": ["ams answers by"],
        "RouteTimeExpectation": [
            "routes to ams gone"
            if getattr(expectation, "what", "") == "gone"
            else "routes of ams back"
        ],
        "RouteCountExpectation": [
            "routes changed" if getattr(expectation, "what", "") == "changed" else "withdrawals of"
        ],
        "SteadyExpectation": [
            {
                "session": "BGP sessions dropped",
                "advertised": "looks with a prefix nobody routes",
                "answers": "answers changed",
            }.get(getattr(expectation, "subject", ""), "")
        ],
    }[kind]


def _trial(value, outage, error=""):
    def run(cell):
        rows = [
            Row(text=text, measured=value, bound="", ok=True)
            for each in cell.scenario.expect
            for text in _texts(each)
        ]
        probes = {
            load.name: Figures(
                sent=100, lost=0, outage_ms=outage, first_ok_ms=None, served_by="ams"
            )
            for load in cell.loads
        }
        trial = Trial(
            params=cell.params,
            seed=1,
            probes=probes,
            expect=tuple(rows),
            let={"victim": "ams"},
            error=error,
        )
        return trial, "none"

    return run


READ = {name: read_scenario(weather.FOLDER / f"{name}.yaml") for name in weather.SCENARIOS}


def _figures(run_trial):
    return weather.figures(
        {
            name: run_scenario(
                READ[name],
                QUIET,
                lambda _: None,
                1,
                run_trial=run_trial,
            )
            for name in weather.SCENARIOS
        }
    )


def test_every_promised_figure_is_there_and_good_in_good_weather():
    figures = {each.name: each for each in _figures(_trial(0.0, 0.0))}
    assert set(figures) >= PROMISED
    assert [name for name, each in figures.items() if not each.ok] == []


@pytest.mark.parametrize("name", sorted(PROMISED))
def test_every_figure_can_be_bad(name):
    figures = {each.name: each for each in _figures(_trial(90_000.0, 90_000.0))}
    assert not figures[name].ok


def test_a_trial_that_failed_leaves_no_figure_that_could_look_good():
    assert not any(each.ok for each in _figures(_trial(0.0, 0.0, error="no lab")))
