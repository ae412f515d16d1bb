"""``$victim`` and the like: names that a trial gives meaning to when its lab stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from lab.scenarios.shapes import (
    Expectation,
    Load,
    ProbeExpectation,
    RefusedExpectation,
    RouteCountExpectation,
    RouteTimeExpectation,
    Step,
)

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def names_in(text: str) -> tuple[str, ...]:
    """The names that `text` refers to."""
    return tuple(_NAME.findall(text))


def filled(text: str, meanings: Mapping[str, str]) -> str:
    """`text` with every ``$name`` replaced."""
    return _NAME.sub(lambda found: meanings[found[1]], text)


def filled_load(load: Load, meanings: Mapping[str, str]) -> Load:
    """`load` with its client and target filled in."""
    return msgspec.structs.replace(
        load, client=filled(load.client, meanings), target=filled(load.target, meanings)
    )


def filled_step(step: Step, meanings: Mapping[str, str]) -> Step:
    """`step` with its arguments filled in."""
    arguments = {key: filled(value, meanings) for key, value in step.arguments.items()}
    return msgspec.structs.replace(step, arguments=arguments)


def filled_expectation(expectation: Expectation, meanings: Mapping[str, str]) -> Expectation:
    """`expectation` with the PoP it names filled in."""
    match expectation:
        case ProbeExpectation(served=str(served)):
            return msgspec.structs.replace(expectation, served=filled(served, meanings))
        case RouteCountExpectation(pop=str(pop)) | RouteTimeExpectation(pop=str(pop)):
            return msgspec.structs.replace(expectation, pop=filled(pop, meanings))
        case RefusedExpectation(who=who):
            named = tuple(filled(each, meanings) for each in who)
            return msgspec.structs.replace(expectation, who=named)
        case _:
            return expectation
