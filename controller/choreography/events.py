"""What has happened to a PoP, read off the whole world at every look (level, not edge)."""

from __future__ import annotations

from ambicast.model.fleet import Fleet
from controller.choreography.phases import AWAY_FROM_HOME, Event, Phase
from controller.choreography.run import PopRun
from controller.world.belief import Intent
from controller.world.condition import Condition

# A PoP that keeps falling over must serve this many times longer before it gets clients back.
LONGEST_PATIENCE = 8


def patience(fleet: Fleet, pop: PopRun) -> float:
    """Seconds a PoP must have served before its return begins; doubles with every loss."""
    return float(fleet.timing.settle_down * min(LONGEST_PATIENCE, 2 ** max(0, pop.flaps - 1)))


def event_of(
    fleet: Fleet, pop: PopRun, condition: Condition, intent: Intent | None, now: float
) -> Event | None:
    """The most urgent event that applies to ``pop`` now, or none."""
    if condition is Condition.SILENT:
        return Event.LOST
    if condition is Condition.UNFIT and pop.phase in {Phase.HOME, Phase.RETURNING}:
        return Event.FAILED
    # A PoP on its way back or out has its prefixes off the wire for a good reason.
    if condition is Condition.WITHDRAWN and pop.phase is Phase.HOME:
        return Event.FAILED
    if intent is not None and condition is not Condition.UNKNOWN and not _leaving(pop):
        return Event.DRAIN
    if intent is None and _leaving(pop) and condition is not Condition.UNFIT:
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


def _leaving(pop: PopRun) -> bool:
    return pop.phase in {Phase.DRAINING, Phase.DRAINED}


def _back(fleet: Fleet, pop: PopRun, now: float) -> Event | None:
    if pop.phase not in AWAY_FROM_HOME or pop.serving_since is None:
        return None
    return Event.RECOVERED if now - pop.serving_since >= patience(fleet, pop) else None
