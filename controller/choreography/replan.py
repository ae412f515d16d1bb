"""What a PoP does in its new phase: the plan that leads there."""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.emergency import take_over
from controller.choreography.ladder import DEEPEST, depth_against
from controller.choreography.look import Look
from controller.choreography.phases import UNSETTLED, Event, Phase
from controller.choreography.plan import Plan, StepState
from controller.choreography.planned import drain, go_back
from controller.choreography.posture import Home, Posture, change
from controller.choreography.run import PopRun, Run, given
from controller.choreography.technique import Technique
from controller.planning.guards import LATELY, Refusal, guard_drain, guard_emergency
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
    helpers = _survivors(run, name, look)
    refusal = guard_drain(look.fleet, name, given(run), moving)
    if refusal is None and not helpers:
        refusal = Refusal("fewest PoPs", "no other PoP serves", "at least one must cover (I3)")
    if refusal is not None:
        kept = msgspec.structs.replace(pop, refusal=str(refusal))
        return msgspec.structs.replace(run, pops={**run.pops, name: kept})
    plan = drain(look.fleet, name, pop.posture, helpers, reason, look.now)
    return _with(run, name, look, phase=phase, plan=plan, because=reason)


def _emergency(run: Run, name: PopName, event: Event, phase: Phase, look: Look) -> Run:
    pop, own = run.pops[name], look.fleet.pops[name].prefixes
    silent = event is Event.LOST
    planned = run.failover[name].advertisers if name in run.failover else ()
    survivors = _survivors(run, name, look)
    refusal = guard_emergency(look.fleet, name, survivors, _lost_lately(run, look), silent=silent)
    if refusal is not None:
        kept = msgspec.structs.replace(pop, refusal=str(refusal))
        run = msgspec.structs.replace(run, pops={**run.pops, name: kept})
        # Whom nobody can cover helps nobody either.
        return run if survivors else _lost_as_helper(run, name, look, silent=silent)
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
    run = _deepen_anycast(run, look.fleet) if silent and depth else run
    taken = change(posture, helpers=helpers, depth=depth)
    plan = take_over(
        look.fleet, name, taken, anycast=run.anycast_depth, reason=because, now=look.now
    )
    run = _with(run, name, look, phase=phase, plan=plan, because=because, flaps=pop.flaps + 1)
    return _lost_as_helper(run, name, look, silent=silent and depth > 0)


def _deepen_anycast(run: Run, fleet: Fleet) -> Run:
    """All members advertise the anycast more-specifics or none does, and only in small sets.

    One rung deeper than all members advertised until now: what the lost one advertised is stale.
    """
    if len(fleet.pops) > fleet.limits.anycast_halves_up_to:
        return run
    deeper = min(DEEPEST, run.anycast_depth + 1)
    return msgspec.structs.replace(run, anycast_depth=deeper)


def _lost_as_helper(run: Run, lost: PopName, look: Look, *, silent: bool) -> Run:
    """What ``lost`` had taken over is covered again, one rung deeper where it fell silent."""
    pops = dict(run.pops)
    for name, pop in run.pops.items():
        stood = lost in pop.posture.helpers
        if name == lost or not (stood or _counts_on(pop.plan, lost)):
            continue
        survivors = tuple(each for each in _survivors(run, name, look) if each != lost)
        rest = tuple(each for each in pop.posture.helpers if each != lost)
        depth = pop.posture.depth + 1 if silent and stood else pop.posture.depth
        posture = change(pop.posture, helpers=rest or (survivors if stood else ()), depth=depth)
        pops[name] = _without(pop, posture, lost, survivors, look, anycast=run.anycast_depth)
    return msgspec.structs.replace(run, pops=pops)


def _counts_on(plan: Plan | None, pop: PopName) -> bool:
    steps = plan.steps if plan is not None else ()
    ahead = (step for step in steps if step.state is not StepState.SETTLED)
    return any(pop in step.posture.helpers for step in ahead)


def _without(
    pop: PopRun,
    posture: Posture,
    lost: PopName,
    survivors: tuple[PopName, ...],
    look: Look,
    *,
    anycast: int,
) -> PopRun:
    """``pop`` with a plan that no longer counts on ``lost``."""
    changed = msgspec.structs.replace(pop, posture=posture)
    if pop.plan is None or pop.plan.settled:
        return changed
    name = pop.plan.pop
    if pop.phase is Phase.RETURNING:
        # Home must advertise what the rest now advertise before any of them leaves.
        plan = go_back(look.fleet, name, posture, pop.because, look.now)
        return msgspec.structs.replace(changed, plan=plan)
    if pop.phase is Phase.DRAINING:
        if survivors and posture.home is Home.AWAY:
            last = msgspec.structs.replace(pop.plan.steps[-1], posture=posture)
            plan = msgspec.structs.replace(pop.plan, steps=(*pop.plan.steps[:-1], last))
            return msgspec.structs.replace(changed, plan=plan)
        if survivors:
            plan = drain(look.fleet, name, posture, survivors, pop.because, look.now)
            return msgspec.structs.replace(changed, plan=plan)
        # Nobody is left to carry its clients: the wish waits until somebody is (I7).
        why = f"not drained: {lost} was lost and nobody else serves"
        plan = go_back(look.fleet, name, posture, why, look.now)
        return msgspec.structs.replace(
            changed, phase=Phase.RETURNING, plan=plan, since=look.now, because=why
        )
    helped = take_over(
        look.fleet,
        name,
        posture,
        anycast=anycast,
        reason=pop.because,
        now=look.now,
    )
    return msgspec.structs.replace(changed, plan=helped)


def _lost_lately(run: Run, look: Look) -> tuple[PopName, ...]:
    return tuple(
        name
        for name, pop in run.pops.items()
        if pop.phase is Phase.TAKEN_OVER and look.now - pop.since < LATELY
    )


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
