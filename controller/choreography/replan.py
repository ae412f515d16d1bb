"""What a PoP does in its new phase: the plan that leads there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.emergency import take_over
from controller.choreography.ladder import depth_against
from controller.choreography.phases import UNSETTLED, Event, Phase
from controller.choreography.plan import Plan
from controller.choreography.planned import drain, go_back
from controller.choreography.posture import Home, change
from controller.choreography.run import PopRun, Run, Technique, given
from controller.planning.guards import guard_drain
from controller.world.belief import World
from controller.world.condition import Assessment, Condition


def replan(  # noqa: PLR0913 - a plan depends on all of it
    run: Run,
    name: PopName,
    event: Event,
    phase: Phase,
    fleet: Fleet,
    world: World,
    conditions: Mapping[PopName, Assessment],
    techniques: frozenset[Technique],
    now: float,
) -> Run:
    """The run with ``name`` in ``phase``, following the plan that belongs to it.

    A guard may refuse: then the phase stays and the refusal is remembered.
    """
    pop = run.pops[name]
    because = conditions[name].because
    match event:
        case Event.ESTABLISHED:
            home = change(pop.posture, given=1.0)
            return _with(run, name, pop, phase, None, now, because, posture=home)
        case Event.DONE:
            return _with(run, name, pop, phase, None, now, because)
        case Event.LOST | Event.FAILED:
            return _emergency(run, name, event, phase, fleet, conditions, techniques, now)
        case Event.RECOVERED | Event.UNDRAIN:
            plan = go_back(fleet, name, pop.posture, because, now)
            return _with(run, name, pop, phase, plan, now, because)
        case Event.DRAIN:
            moving = tuple(each for each in run.pops if run.pops[each].phase in UNSETTLED)
            refusal = guard_drain(fleet, name, given(run), moving)
            if refusal is not None:
                kept = msgspec.structs.replace(pop, refusal=str(refusal))
                return msgspec.structs.replace(run, pops={**run.pops, name: kept})
            helpers = _survivors(run, name, conditions)
            reason = world.drains[name].reason
            plan = drain(fleet, name, pop.posture, helpers, reason, now)
            return _with(run, name, pop, phase, plan, now, reason)


def _emergency(  # noqa: PLR0913
    run: Run,
    name: PopName,
    event: Event,
    phase: Phase,
    fleet: Fleet,
    conditions: Mapping[PopName, Assessment],
    techniques: frozenset[Technique],
    now: float,
) -> Run:
    pop = run.pops[name]
    silent = event is Event.LOST
    planned = run.failover[name].advertisers if name in run.failover else ()
    survivors = _survivors(run, name, conditions)
    # The table was made before the failure; who has been lost since is not asked to help.
    helpers = tuple(each for each in planned if each in survivors) or survivors
    posture = change(pop.posture, home=Home.HERE)
    stale = {prefix: pop.posture.split for prefix in fleet.pops[name].prefixes}
    depth = depth_against(fleet.pops[name].prefixes, stale) if silent else pop.posture.depth
    depth = max(depth, pop.posture.depth)
    if Technique.HALVES not in techniques:
        depth = 0
    if Technique.SAME_LENGTH not in techniques and Technique.HALVES not in techniques:
        helpers = ()
    plan = take_over(
        fleet, name, posture, helpers, depth, reason=conditions[name].because, now=now
    )
    flaps = pop.flaps + 1
    run = _with(run, name, pop, phase, plan, now, conditions[name].because, flaps=flaps)
    return _lost_as_helper(_deepen_anycast(run, fleet, depth), name, silent=silent and bool(depth))


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


def _survivors(
    run: Run, name: PopName, conditions: Mapping[PopName, Assessment]
) -> tuple[PopName, ...]:
    return tuple(
        other
        for other in sorted(run.pops)
        if other != name
        and conditions[other].condition is Condition.SERVING
        and run.pops[other].phase in {Phase.HOME, Phase.RETURNING, Phase.STARTING}
    )


def _with(  # noqa: PLR0913
    run: Run,
    name: PopName,
    pop: PopRun,
    phase: Phase,
    plan: Plan | None,
    now: float,
    because: str,
    **changes: object,
) -> Run:
    new = msgspec.structs.replace(
        pop, phase=phase, plan=plan, since=now, because=because, refusal="", **changes
    )
    return msgspec.structs.replace(run, pops={**run.pops, name: new})
