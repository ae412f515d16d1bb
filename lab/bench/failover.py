"""`bench failover`: what the first release promised of one PoP's death, return and drain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lab.bench.figures import (
    Figure,
    any_probe,
    anycast_affected,
    beside,
    bounded,
    lost_rows,
    median,
    outages,
    own_affected,
    rows,
    total,
    worst,
)
from lab.running.results import Result

SCENARIOS: Final = ("silent-death", "return", "service-fail", "drain")
FOLDER: Final = Path(__file__).parents[1] / "scenarios"
P50_MS: Final = 600.0
WORST_MS: Final = 1000.0
SERVICE_FAIL_MS: Final = 3 * 100.0 + 150.0  # three fast intervals of the check, and 150 ms


def figures(results: Mapping[str, Result]) -> tuple[Figure, ...]:
    """All figures, from the results by scenario."""
    return (
        *_silent(results["silent-death"]),
        _lost("return_lost", results["return"]),
        _service_fail(results["service-fail"]),
        _lost("drain_lost", results["drain"]),
    )


def _silent(result: Result) -> tuple[Figure, ...]:
    own, anycast = outages(result, own_affected), outages(result, anycast_affected)
    own_p50, own_max = (beside(result, own_affected, fold) for fold in (median, worst))
    any_p50, any_max = (beside(result, anycast_affected, fold) for fold in (median, worst))
    dns = worst(rows(result, "new answers right"))
    return (
        bounded("silent_unicast_p50", median(own), P50_MS, "ms", own_p50),
        bounded("silent_unicast_max", worst(own), WORST_MS, "ms", own_max),
        bounded("silent_anycast_p50", median(anycast), P50_MS, "ms", any_p50),
        bounded("silent_anycast_max", worst(anycast), WORST_MS, "ms", any_max),
        bounded("silent_dns_ms", dns, WORST_MS, "ms", {}),
        bounded("layers_agree_ms", worst(rows(result, "layers agree")), WORST_MS, "ms", {}),
    )


def _service_fail(result: Result) -> Figure:
    every = outages(result, any_probe)
    aside = beside(result, any_probe, worst)
    return bounded("service_fail_max", worst(every), SERVICE_FAIL_MS, "ms", aside)


def _lost(name: str, result: Result) -> Figure:
    return bounded(name, total(lost_rows(result)), 0, "requests", {})
