"""What a PoP does in its new phase: the plan that leads there."""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.emergency import take_over
from controller.choreography.ladder import depth_against
from controller.choreography.look import Look
from controller.choreography.phases import UNSETTLED, Event, Phase
from controller.choreography.plan import Plan
from controller.choreography.planned import drain, go_back
from controller.choreography.posture import Home, change
from controller.choreography.run import Run, given
from controller.choreography.technique import Technique
from controller.planning.guards import guard_drain
from controller.world.condition import Condition


def replan(run: Run, name: PopName, event: Event, phase: Phase, look: Look) -> Run:
    """The run with ``name`` in ``phase``, following the plan that belongs to it.

    A guard may refuse: then the phase stays and the refusal is remembered.
    """
    pop, because = run.pops[name], look.because(name)
    match event:
        case Event.ESTABLISHED:
            home = change(pop.posture, given=1.0)
            return _with(run, name, look, phase=phase, plan=None, because=because, posture=home)
        case Event.DONE:
            return _with(run, name, look, phase=phase, plan=None, because=because)
        case Event.LOST | Event.FAILED:
            return _emergency(run, name, event, phase, look)
        case Event.RECOVERED | Event.UNDRAIN:
            plan = go_back(look.fleet, name, pop.posture, because, look.now)
            return _with(run, name, look, phase=phase, plan=plan, because=because)
        case Event.DRAIN:
            return _drained(run, name, phase, look)


def _drained(run: Run, name: PopName, phase: Phase, look: Look) -> Run:
    pop, intent = run.pops[name], look.intent(name)
    reason = intent.reason if intent is not None else ""
    moving = tuple(each for each in run.pops if run.pops[each].phase in UNSETTLED)
    refusal = guard_drain(look.fleet, name, given(run), moving)
    if refusal is not None:
        kept = msgspec.structs.replace(pop, refusal=str(refusal))
        return msgspec.structs.replace(run, pops={**run.pops, name: kept})
    helpers = _survivors(run, name, look)
    plan = drain(look.fleet, name, pop.posture, helpers, reason, look.now)
    return _with(run, name, look, phase=phase, plan=plan, because=reason)


def _emergency(run: Run, name: PopName, event: Event, phase: Phase, look: Look) -> Run:
    pop, own = run.pops[name], look.fleet.pops[name].prefixes
    silent = event is Event.LOST
    planned = run.failover[name].advertisers if name in run.failover else ()
    survivors = _survivors(run, name, look)
    # The table was made before the failure; who has been lost since is not asked to help.
    helpers = tuple(each for each in planned if each in survivors) or survivors
    posture = change(pop.posture, home=Home.HERE)
    stale = dict.fromkeys(own, pop.posture.split)
    depth = max(depth_against(own, stale) if silent else 0, pop.posture.depth)
    if Technique.HALVES not in look.techniques:
        depth = 0
        if Technique.SAME_LENGTH not in look.techniques:
            helpers = ()
    because = look.because(name)
    plan = take_over(look.fleet, name, posture, helpers, depth, reason=because, now=look.now)
    run = _with(run, name, look, phase=phase, plan=plan, because=because, flaps=pop.flaps + 1)
    run = _deepen_anycast(run, look.fleet, depth)
    return _lost_as_helper(run, name, silent=silent and depth > 0)


def _deepen_anycast(run: Run, fleet: Fleet, depth: int) -> Run:
    """All members advertise the anycast more-specifics or none does, and only in small sets."""
    if depth == 0 or len(fleet.pops) > fleet.limits.anycast_halves_up_to:
        return run
    return msgspec.structs.replace(run, anycast_depth=max(run.anycast_depth, depth))


def _lost_as_helper(run: Run, lost: PopName, *, silent: bool) -> Run:
    """What ``lost`` had taken over is covered again, one rung deeper where it fell silent."""
    pops = dict(run.pops)
    for name, pop in run.pops.items():
        if lost not in pop.posture.helpers:
            continue
        rest = tuple(each for each in pop.posture.helpers if each != lost)
        depth = pop.posture.depth + 1 if silent else pop.posture.depth
        plan = pop.plan and _without(pop.plan, lost, depth)
        posture = change(pop.posture, helpers=rest, depth=depth)
        pops[name] = msgspec.structs.replace(pop, posture=posture, plan=plan)
    return msgspec.structs.replace(run, pops=pops)


def _without(plan: Plan, lost: PopName, depth: int) -> Plan:
    steps = tuple(
        msgspec.structs.replace(
            each,
            posture=change(
                each.posture,
                helpers=tuple(name for name in each.posture.helpers if name != lost),
                depth=depth if each.posture.helpers else 0,
            ),
        )
        for each in plan.steps
    )
    return msgspec.structs.replace(plan, steps=steps)


def _survivors(run: Run, name: PopName, look: Look) -> tuple[PopName, ...]:
    return tuple(
        other
        for other in sorted(run.pops)
        if other != name
        and look.condition(other) is Condition.SERVING
        and run.pops[other].phase in {Phase.HOME, Phase.RETURNING, Phase.STARTING}
    )


def _with(run: Run, name: PopName, look: Look, **changes: object) -> Run:
    new = msgspec.structs.replace(run.pops[name], since=look.now, refusal="", **changes)
    return msgspec.structs.replace(run, pops={**run.pops, name: new})
