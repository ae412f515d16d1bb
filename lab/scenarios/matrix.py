"""Every combination of a scenario's parameters, each a lab of its own."""

from __future__ import annotations

from itertools import product

from lab.scenarios.shapes import Scenario


def cells(scenario: Scenario) -> tuple[dict[str, str], ...]:
    """One dict of parameters per combination, in the file's order."""
    names = tuple(scenario.matrix)
    return tuple(
        dict(zip(names, values, strict=True)) for values in product(*scenario.matrix.values())
    )
