"""What has happened to a PoP, read off the whole world at every look (level, not edge)."""

from __future__ import annotations

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.look import Look
from controller.choreography.phases import AWAY_FROM_HOME, Event, Phase
from controller.choreography.plan import StepState
from controller.choreography.run import PopRun
from controller.world.belief import Intent
from controller.world.condition import Condition

# A PoP that keeps falling over must serve this many times longer before it gets clients back.
LONGEST_PATIENCE = 8
# Seconds its prefixes must be off every wire before others cover them. The covering prefix serves
# meanwhile, and a cover commits to a slow return.
WIRE_PATIENCE = 0.5
_NO_WAY_BACK = frozenset({Condition.UNFIT, Condition.UNKNOWN})


def patience(fleet: Fleet, pop: PopRun) -> float:
    """Seconds a PoP must have served before its return begins; doubles with every loss."""
    return float(fleet.timing.settle_down * min(LONGEST_PATIENCE, 2 ** max(0, pop.flaps - 1)))


def event_of(pop: PopRun, name: PopName, intent: Intent | None, look: Look) -> Event | None:
    """The most urgent event that applies to the PoP ``name`` now, or none."""
    condition, fleet, now = look.condition(name), look.fleet, look.now
    if condition is Condition.SILENT:
        return Event.LOST
    if _failed(pop, condition, now):
        return Event.FAILED
    if _last_resort(pop, condition, look):
        return Event.UNDRAIN
    if intent is not None and condition is not Condition.UNKNOWN and not _leaving(pop):
        return Event.DRAIN
    if intent is None and _leaving(pop) and condition not in _NO_WAY_BACK:
        asked = look.world.undrained.get(name, 0.0) >= pop.since
        return Event.UNDRAIN if asked or not pop.found else None
    if pop.plan is not None and pop.plan.settled:
        return (
            Event.DONE
            if pop.phase in {Phase.RETURNING, Phase.DRAINING}
            else _back(fleet, pop, now)
        )
    if condition is Condition.SERVING and pop.phase is Phase.STARTING:
        return Event.ESTABLISHED
    return _back(fleet, pop, now)


def _failed(pop: PopRun, condition: Condition, now: float) -> bool:
    """Whether its own prefixes have left the wire, or will at once, with nobody else to carry."""
    if condition is Condition.WITHDRAWN:
        # An agent that lost its thread to ExaBGP for a moment reports an empty wire.
        since = now if pop.withdrawn_since is None else pop.withdrawn_since
        if now - since < WIRE_PATIENCE:
            return False
    elif condition is not Condition.UNFIT:
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


def _last_resort(pop: PopRun, condition: Condition, look: Look) -> bool:
    """Drained, but fit, and nobody else serves: an empty PoP beside a dead fleet helps no one."""
    drained = pop.phase is Phase.DRAINED and condition is Condition.WITHDRAWN
    return drained and not look.serving()


def _leaving(pop: PopRun) -> bool:
    return pop.phase in {Phase.DRAINING, Phase.DRAINED}


def _back(fleet: Fleet, pop: PopRun, now: float) -> Event | None:
    if pop.phase not in AWAY_FROM_HOME or pop.serving_since is None:
        return None
    return Event.RECOVERED if now - pop.serving_since >= patience(fleet, pop) else None
