"""What the runner does and when: a scenario's steps, and what follows from them by itself.

A fault with `for` is taken back when its time is over; a flapping service is a row of failures and
recoveries. Steps count from 1 in the file; what follows from them has no number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from ambicast.model.quantities import duration
from lab.scenarios.shapes import Step
from lab.scenarios.words import ACTIONS

FLAPS_DOWN: Final = 0.5  # of each interval, where `down` does not say


class Act(msgspec.Struct, frozen=True):
    """One thing to do, `at` seconds after the load started; `number` is its step's, or 0."""

    at: float
    step: Step
    number: int = 0


def agenda(steps: Sequence[Step]) -> tuple[Act, ...]:
    """Everything to do, in order of time; what is due at once keeps the file's order."""
    acts: list[Act] = []
    for number, step in enumerate(steps, 1):
        acts.append(Act(step.at, step, number))
        acts += _following(step)
    return tuple(sorted(acts, key=lambda act: act.at))


def _following(step: Step) -> Iterator[Act]:
    if step.action == "service-flap":
        yield from _flaps(step)
        return
    undo = ACTIONS[step.action].undo
    if not undo or "for" not in step.arguments:
        return
    accepted = ACTIONS[undo].accepted
    arguments = {key: value for key, value in step.arguments.items() if key in accepted}
    over = step.at + duration(step.arguments["for"])
    yield Act(over, msgspec.structs.replace(step, at=over, action=undo, arguments=arguments))


def _flaps(step: Step) -> Iterator[Act]:
    """Failures and recoveries, the first failure at the step's own time."""
    given = step.arguments
    every = duration(given["every"])
    down = duration(given["down"]) if "down" in given else FLAPS_DOWN * every
    times = int(given["times"]) if "times" in given else int(duration(given["for"]) / every)
    arguments = {key: given[key] for key in ("pop", "service")}
    for turn in range(times):
        for at, action in (
            (step.at + turn * every, "service-fail"),
            (step.at + turn * every + down, "service-restore"),
        ):
            act = Step(at=at, action=action, arguments=arguments, where=step.where)
            yield Act(at, act)
