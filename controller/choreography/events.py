"""What has happened to a PoP, read off the whole world at every look (level, not edge)."""

from __future__ import annotations

from ambicast.model.fleet import Fleet
from controller.choreography.phases import AWAY_FROM_HOME, Event, Phase
from controller.choreography.plan import StepState
from controller.choreography.run import PopRun
from controller.world.belief import Intent
from controller.world.condition import Condition

# A PoP that keeps falling over must serve this many times longer before it gets clients back.
LONGEST_PATIENCE = 8
_NO_WAY_BACK = frozenset({Condition.UNFIT, Condition.UNKNOWN})


def patience(fleet: Fleet, pop: PopRun) -> float:
    """Seconds a PoP must have served before its return begins; doubles with every loss."""
    return float(fleet.timing.settle_down * min(LONGEST_PATIENCE, 2 ** max(0, pop.flaps - 1)))


def event_of(
    fleet: Fleet, pop: PopRun, condition: Condition, intent: Intent | None, now: float
) -> Event | None:
    """The most urgent event that applies to ``pop`` now, or none."""
    if condition is Condition.SILENT:
        return Event.LOST
    if _failed(pop, condition):
        return Event.FAILED
    if intent is not None and condition is not Condition.UNKNOWN and not _leaving(pop):
        return Event.DRAIN
    if intent is None and _leaving(pop) and condition not in _NO_WAY_BACK:
        return Event.UNDRAIN
    if pop.plan is not None and pop.plan.settled:
        return (
            Event.DONE
            if pop.phase in {Phase.RETURNING, Phase.DRAINING}
            else _back(fleet, pop, now)
        )
    if condition is Condition.SERVING and pop.phase is Phase.STARTING:
        return Event.ESTABLISHED
    return _back(fleet, pop, now)


def _failed(pop: PopRun, condition: Condition) -> bool:
    """Whether its own prefixes have left the wire, or will at once, with nobody else to carry."""
    if condition not in {Condition.UNFIT, Condition.WITHDRAWN}:
        return False
    match pop.phase:
        case Phase.HOME:
            return True
        case Phase.RETURNING:
            # On its way back it has a good reason to be off the wire until it has once been on.
            advertised = pop.plan is None or pop.plan.steps[0].state is StepState.SETTLED
            return condition is Condition.UNFIT or advertised
        case Phase.DRAINING:
            # Cached answers still lead here, and nobody advertises its prefixes yet.
            return not pop.posture.helpers
        case _:
            return False


def _leaving(pop: PopRun) -> bool:
    return pop.phase in {Phase.DRAINING, Phase.DRAINED}


def _back(fleet: Fleet, pop: PopRun, now: float) -> Event | None:
    if pop.phase not in AWAY_FROM_HOME or pop.serving_since is None:
        return None
    return Event.RECOVERED if now - pop.serving_since >= patience(fleet, pop) else None
