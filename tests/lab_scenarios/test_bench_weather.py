"""`bench weather` has every figure that was promised, and none that is good by accident."""

from __future__ import annotations

import pytest

from lab.bench import weather
from lab.bench.figures import missed, offences
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


def _trial(value, outage, error="", *, flaps=1.0, ok=True):
    """A trial that measures `value` everywhere; a flapping service is withdrawn once."""

    def run(cell):
        rows = [
            Row(
                text=text,
                measured=flaps if value == 0 and cell.scenario.name == "service-flap" else value,
                bound="",
                ok=ok,
            )
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


def _results(run_trial):
    return {
        name: run_scenario(READ[name], QUIET, lambda _: None, 1, run_trial=run_trial)
        for name in weather.SCENARIOS
    }


def _figures(run_trial):
    return weather.figures(_results(run_trial))


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


def test_a_service_that_is_never_withdrawn_is_no_success():
    figures = {each.name: each for each in _figures(_trial(0.0, 0.0, flaps=0.0))}
    assert [name for name, each in figures.items() if not each.ok] == ["flap_withdrawals"]


def test_an_expectation_behind_no_figure_counts_all_the_same():
    good = _results(_trial(0.0, 0.0))
    assert missed(good.values()).ok
    bad = _results(_trial(0.0, 0.0, ok=False))
    assert all(each.ok for each in weather.figures(bad))
    assert not missed(bad.values()).ok
    assert missed(bad.values()).value == sum(len(offences(each)) for each in bad.values())
    assert "router=frr: own-v4: outage: 0.0, wanted " in offences(bad["uplink-cut"])
    broken = _results(_trial(0.0, 0.0, error="no lab"))
    assert "router=bird: no lab" in offences(broken["loss"])
