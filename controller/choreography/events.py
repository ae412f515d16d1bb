"""What has happened to a PoP, read off the whole world at every look (level, not edge)."""

from __future__ import annotations

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.look import Look
from controller.choreography.needs import Need, needs, unclaimed, unmet
from controller.choreography.phases import AWAY_FROM_HOME, Event, Phase
from controller.choreography.plan import StepState
from controller.choreography.run import PopRun, Run
from controller.world.belief import Intent
from controller.world.condition import Condition

# A PoP that keeps falling over must serve this many times longer before it gets clients back.
LONGEST_PATIENCE = 8
# Sessions of both families come up within seconds of each other. A PoP that is taken for home with
# one of them missing would be covered in it at once, and owe a slow return.
COMING_UP = 5.0
_NO_WAY_BACK = frozenset({Condition.UNFIT, Condition.UNKNOWN})


def patience(fleet: Fleet, pop: PopRun) -> float:
    """Seconds a PoP must have served before its return begins; doubles with every loss."""
    return float(fleet.timing.settle_down * min(LONGEST_PATIENCE, 2 ** max(0, pop.flaps - 1)))


def event_of(run: Run, name: PopName, intent: Intent | None, look: Look) -> Event | None:
    """The most urgent event that applies to the PoP ``name`` now, or none."""
    pop, condition = run.pops[name], look.condition(name)
    urgent = _emergency(run, name, look)
    if urgent is not None and not (_begins(pop, condition, look) and pop.refusal):
        return urgent
    if condition is Condition.SILENT:
        return None
    if _last_resort(pop, condition, look):
        return Event.UNDRAIN
    if intent is not None and condition is not Condition.UNKNOWN and not _leaving(pop):
        return Event.DRAIN
    if intent is None and _leaving(pop) and condition not in _NO_WAY_BACK:
        asked = look.world.undrained.get(name, 0.0) >= pop.since
        return Event.UNDRAIN if asked or not pop.found else None
    if pop.plan is not None and pop.plan.settled:
        return Event.DONE if pop.phase in {Phase.RETURNING, Phase.DRAINING} else _back(look, pop)
    if _begins(pop, condition, look):
        return Event.ESTABLISHED
    return _back(look, pop)


def _begins(pop: PopRun, condition: Condition, look: Look) -> bool:
    """Whether it serves for the first time.

    Every family is on the wire, or one that is not has had the time to come.
    """
    if pop.phase is not Phase.STARTING or condition is not Condition.SERVING:
        return False
    if pop.serving_since is not None:
        return True
    return pop.withdrawn_since is not None and look.now - pop.withdrawn_since >= COMING_UP


def _emergency(run: Run, name: PopName, look: Look) -> Event | None:
    """Lost, failed, or an emergency that must reach further; none while all is as it should."""
    pop, need = run.pops[name], needs(run, name, look)
    match pop.phase:
        case Phase.DRAINED:
            return None
        case Phase.TAKEN_OVER:
            return Event.EXTENDED if unmet(run, name, need, look) else None
        case Phase.COVERED:
            if need.silent or unclaimed(pop.posture, need.claim):
                return Event.LOST
            return Event.EXTENDED if unmet(run, name, need, look) else None
        case Phase.STARTING:
            gone = look.condition(name) is Condition.SILENT
            return Event.LOST if gone or unclaimed(pop.posture, need.claim) else None
        case _:
            if _gone(pop, need, look.condition(name)) or unclaimed(pop.posture, need.claim):
                return Event.LOST
            return Event.FAILED if need.failed and _failure_matters(pop, look, name) else None


def _gone(pop: PopRun, need: Need, condition: Condition) -> bool:
    """Whether it is silent, and not yet carried by others on its way out."""
    if condition is Condition.SILENT or pop.phase is not Phase.DRAINING:
        return bool(need.silent)
    carried = {kind for kind in need.silent if pop.posture.depth_in(kind) and pop.posture.helpers}
    return bool(need.silent - carried)


def _failure_matters(pop: PopRun, look: Look, name: PopName) -> bool:
    """Whether its own prefixes have left the wire, or will at once, with nobody else to carry."""
    match pop.phase:
        case Phase.HOME:
            return True
        case Phase.RETURNING:
            # On its way back it has a good reason to be off the wire until it has once been on.
            advertised = pop.plan is None or pop.plan.steps[0].state is StepState.SETTLED
            return look.condition(name) is Condition.UNFIT or advertised
        case _:
            # Draining: cached answers still lead here, and nobody advertises its prefixes yet.
            return not pop.posture.helpers


def _last_resort(pop: PopRun, condition: Condition, look: Look) -> bool:
    """Drained, but fit, and nobody else serves: an empty PoP beside a dead fleet helps no one."""
    drained = pop.phase is Phase.DRAINED and condition is Condition.WITHDRAWN
    return drained and not look.serving()


def _leaving(pop: PopRun) -> bool:
    return pop.phase in {Phase.DRAINING, Phase.DRAINED}


def _back(look: Look, pop: PopRun) -> Event | None:
    if pop.phase not in AWAY_FROM_HOME or pop.serving_since is None:
        return None
    served = look.now - pop.serving_since
    return Event.RECOVERED if served >= patience(look.fleet, pop) else None
