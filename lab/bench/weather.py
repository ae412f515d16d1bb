"""`bench weather`: what may break around a fleet without taking it along, one scenario each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from lab.bench.figures import (
    Figure,
    Pick,
    any_probe,
    anycast_affected,
    beside,
    bounded,
    lost_rows,
    outages,
    rows,
    total,
    worst,
)
from lab.running.results import BaselineTrial, Result, Trial

FOLDER: Final = Path(__file__).parents[1] / "scenarios" / "weather"
SCENARIOS: Final = (
    "loss",
    "exabgp-kill",
    "agent-lost",
    "deadman",
    "bus",
    "away-controller",
    "away-broker",
    "away-frozen",
    "cut",
    "uplink-cut",
    "uplink-silent",
    "family-silent",
    "mass-fail",
    "ten-pops",
    "service-flap",
    "bad-input",
    "host-lost",
    "overload",
    "lossy",
    "uplink-flap",
    "break-glass",
)
NOTHING_MOVES: Final = ("takeovers", "routes changed", "answers changed", "BGP sessions dropped")


def figures(results: Mapping[str, Result]) -> tuple[Figure, ...]:
    """All figures, from the results by scenario."""
    away = [results[f"away-{who}"] for who in ("controller", "broker", "frozen")]
    ten = results["ten-pops"]
    return (
        _none("false_takeovers", results["loss"], NOTHING_MOVES, "events"),
        _worst("exabgp_kill_outage_ms", [results["exabgp-kill"]], any_probe, 1000),
        _rows("exabgp_kill_ms", results["exabgp-kill"], "routes of", 3000),
        _none("agent_lost", results["agent-lost"], (": lost", *NOTHING_MOVES), "events"),
        _worst("deadman_ms", [results["deadman"]], any_probe, 6000),
        _none("bus_lost", results["bus"], (": lost", *NOTHING_MOVES), "events"),
        _worst("away_outage_max", away, any_probe, 1500),
        _return_lost(away),
        _none("cut_route_changes", results["cut"], (": lost", *NOTHING_MOVES), "events"),
        _worst("uplink_cut_max", [results["uplink-cut"]], any_probe, 150),
        _worst("uplink_silent_max", [results["uplink-silent"]], _of("own"), 1000),
        _worst("uplink_silent_anycast_max", [results["uplink-silent"]], anycast_affected, 1000),
        _worst("family_silent_max", [results["family-silent"]], _own_v6, 1000),
        _none("family_lost", results["family-silent"], (": lost",), "requests"),
        _none("mass_withdrawn", results["mass-fail"], ("looks", "answers changed"), "looks"),
        _none("ten_other_lost", ten, (": lost",), "requests"),
        _worst("ten_two_max", [ten], _of("own"), 1200),
        _landing("ten_fullest", ten),
        _flaps("flap_withdrawals", results["service-flap"]),
        _none("bad_input_lost", results["bad-input"], (": lost", *NOTHING_MOVES), "events"),
        _rows("host_outage_max", results["host-lost"], "", 1000, of=": healed"),
        *_more(results),
    )


def _more(results: Mapping[str, Result]) -> Iterator[Figure]:
    """Of what is none of the promised kinds, and happens all the same."""
    moves = (": lost", "withdrawals of", *NOTHING_MOVES)
    yield _none("overload_lost", results["overload"], moves, "events")
    lossy = results["lossy"]
    yield _rows("lossy_answers_ms", lossy, "ams answers by", 15000)
    yield _none("lossy_moves", lossy, (": lost", *NOTHING_MOVES), "events")
    flap = results["uplink-flap"]
    yield _worst("uplink_flap_max", [flap], _of("own"), 500)
    yield _none("uplink_flap_held_lost", flap, (": lost", *NOTHING_MOVES), "events")
    brake = results["break-glass"]
    yield _rows("break_glass_gone_ms", brake, "routes to ams gone", 2000)
    yield _none("break_glass_held_moves", brake, ("routes changed", "takeovers"), "events")


def _of(word: str) -> Pick:
    """Probes with this word in their names."""

    def pick(_: Trial | BaselineTrial, probe: str) -> bool:
        return word in probe

    return pick


def _own_v6(_: Trial | BaselineTrial, probe: str) -> bool:
    return probe.startswith("own") and probe.endswith("v6")


def _worst(name: str, results: Iterable[Result], pick: Pick, limit: float) -> Figure:
    every: list[float | None] = []
    aside: dict[str, float | None] = {}
    for result in results:
        every += outages(result, pick) or [None]
        aside |= beside(result, pick, worst)
    return bounded(name, worst(every), limit, "ms", aside)


def _rows(name: str, result: Result, start: str, limit: float, *, of: str = "") -> Figure:
    found = rows(result, start) if not of else lost_rows(result, of)
    return bounded(name, worst(found), limit, "ms", {})


def _none(name: str, result: Result, texts: tuple[str, ...], unit: str) -> Figure:
    """The sum of everything that must not have happened at all."""
    found: list[float | None] = []
    for text in texts:
        found += lost_rows(result, text)
    return bounded(name, total(found), 0, unit, {})


def _return_lost(results: Iterable[Result]) -> Figure:
    """Requests lost because the controller, or the broker, came back."""
    found: list[float | None] = []
    for result in results:
        found += lost_rows(result, ": lost after") or [None]
    return bounded("away_return_lost", total(found), 0, "requests", {})


def _landing(name: str, result: Result) -> Figure:
    return bounded(name, worst(rows(result, "fullest PoP")), 0.9, "of capacity", {})


def _flaps(name: str, result: Result) -> Figure:
    """Not more than one, and not none either: who never withdraws serves nobody."""
    most = worst(rows(result, "withdrawals of"))
    return Figure(name=name, value=most, unit="withdrawals", bound="= 1", ok=most == 1)
