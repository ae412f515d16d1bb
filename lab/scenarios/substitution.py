"""``$victim`` and the like: names that a trial gives meaning to when its lab stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from lab.scenarios.shapes import (
    EgressExpectation,
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
        case ProbeExpectation(served=served, left=left):
            named = [None if each is None else filled(each, meanings) for each in (served, left)]
            return msgspec.structs.replace(expectation, served=named[0], left=named[1])
        case (
            RouteCountExpectation(pop=str(pop))
            | RouteTimeExpectation(pop=str(pop))
            | EgressExpectation(pop=pop)
        ):
            return msgspec.structs.replace(expectation, pop=filled(pop, meanings))
        case RefusedExpectation(who=who):
            hosts = tuple(filled(each, meanings) for each in who)
            return msgspec.structs.replace(expectation, who=hosts)
        case _:
            return expectation
