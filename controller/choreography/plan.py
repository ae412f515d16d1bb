"""A plan: ordered steps for one PoP; precondition, posture, settled-when, deadline, undo."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ambicast.model.identifiers import PopName
from controller.choreography.posture import Posture
from controller.choreography.settling import Advertised, Answered, Waited, Withdrawn

SettledWhen = Advertised | Withdrawn | Answered | Waited


class StepState(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    SENT = "sent"
    OVERDUE = "overdue"
    SETTLED = "settled"


class StepEvent(StrEnum):
    """What can happen to a step."""

    SEND = "send"
    SETTLE = "settle"
    EXPIRE = "expire"


STEP_TRANSITIONS: dict[tuple[StepState, StepEvent], StepState] = {
    (StepState.WAITING, StepEvent.SEND): StepState.SENT,
    (StepState.SENT, StepEvent.SETTLE): StepState.SETTLED,
    (StepState.SENT, StepEvent.EXPIRE): StepState.OVERDUE,
    (StepState.OVERDUE, StepEvent.SETTLE): StepState.SETTLED,
}


class IllegalTransition(Exception):  # noqa: N818 - the domain's word
    """A step was told something that its state does not allow; nothing was changed."""


class Step(msgspec.Struct, frozen=True):
    """One posture, held until its effect is seen.

    Attributes:
        name: short and constant, for logs and pages.
        layer: ``dns`` or ``bgp``: which layer it moves, or ``wait``.
        text: one sentence for people.
        posture: how the PoP stands from this step on.
        settled_when: what must be observed before the next step begins; the step's
            precondition is that all before it have settled, or ``at_once``.
        at_once: may begin as soon as the one before was sent (emergencies only).
        deadline: seconds after which the step is overdue and shown as such; the plan stays in
            this step, because going on unobserved is how fleets are lost.
        undo: what an operator does to go back.
    """

    name: str
    layer: str
    text: str
    posture: Posture
    settled_when: tuple[SettledWhen, ...]
    at_once: bool = False
    deadline: float = 30.0
    undo: str = ""
    state: StepState = StepState.WAITING
    began_at: float = 0.0
    settled_at: float = 0.0
    note: str = ""


class Plan(msgspec.Struct, frozen=True):
    """The way of one PoP from one phase to the next."""

    kind: str
    pop: PopName
    reason: str
    steps: tuple[Step, ...]
    began_at: float

    @property
    def posture(self) -> Posture | None:
        """The posture of the last step that has begun."""
        begun = [step for step in self.steps if step.state is not StepState.WAITING]
        return begun[-1].posture if begun else None

    @property
    def settled(self) -> bool:
        """Whether every step has settled."""
        return all(step.state is StepState.SETTLED for step in self.steps)


def move(step: Step, event: StepEvent, now: float, note: str = "") -> Step:
    """The step after ``event``; raises :class:`IllegalTransition` for a missing row."""
    state = STEP_TRANSITIONS.get((step.state, event))
    if state is None:
        message = f"{step.name}: {event} in state {step.state}"
        raise IllegalTransition(message)
    match event:
        case StepEvent.SEND:
            return msgspec.structs.replace(step, state=state, began_at=now)
        case StepEvent.SETTLE:
            return msgspec.structs.replace(step, state=state, settled_at=now, note=note)
        case StepEvent.EXPIRE:
            return msgspec.structs.replace(step, state=state, note=note)
