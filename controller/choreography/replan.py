"""What a PoP does in its new phase: the plan that leads there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.identifiers import Family, PopName
from controller.choreography.anycast import at_least, deepened, depths
from controller.choreography.emergency import take_over
from controller.choreography.look import Look
from controller.choreography.needs import Need, concerned, needs, survivors
from controller.choreography.phases import AWAY_FROM_HOME, UNSETTLED, Event, Phase
from controller.choreography.plan import Plan, StepState
from controller.choreography.planned import drain, go_back
from controller.choreography.posture import Home, Posture, change
from controller.choreography.run import PopRun, Run, given
from controller.choreography.taking import lost_lately, taken_posture, without_helper
from controller.planning.guards import Refusal, guard_drain, guard_emergency, guard_quota


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
        case Event.LOST | Event.FAILED | Event.EXTENDED:
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
    helpers = survivors(run, name, look)
    refusal = guard_drain(look.fleet, name, given(run), moving)
    if refusal is None and not helpers:
        refusal = Refusal("fewest PoPs", "no other PoP serves", "at least one must cover (I3)")
    if refusal is not None:
        kept = msgspec.structs.replace(pop, refusal=str(refusal))
        return msgspec.structs.replace(run, pops={**run.pops, name: kept})
    plan = drain(look.fleet, name, pop.posture, helpers, reason, look.now)
    return _with(run, name, look, phase=phase, plan=plan, because=reason)


def _emergency(run: Run, name: PopName, event: Event, phase: Phase, look: Look) -> Run:
    pop, need, able = run.pops[name], needs(run, name, look), survivors(run, name, look)
    refusal = _refusal(run, name, need, able, look)
    if refusal is not None:
        kept = msgspec.structs.replace(pop, refusal=str(refusal))
        run = msgspec.structs.replace(run, pops={**run.pops, name: kept})
        # Whom nobody can cover helps nobody either.
        return run if able else _lost_as_helper(run, name, need, look)
    shared = frozenset(need.claim.shared) if need.claim else frozenset()
    before = run
    if need.claim:
        run = at_least(run, need.claim.shared)
    if event is Event.LOST or need.silent - concerned(pop, look.fleet, name):
        run = deepened(run, look, need.silent - shared)
    posture = taken_posture(before, name, need, able, look)
    because = look.because(name)
    plan = take_over(look.fleet, name, posture, anycast=depths(run), reason=because, now=look.now)
    taken = plan.steps[0].posture
    run = _with(run, name, look, phase=phase, plan=plan, because=because, posture=taken)
    if event is not Event.EXTENDED:
        # It must have served anew before it may come back, whatever was believed until now.
        counted = msgspec.structs.replace(
            run.pops[name], flaps=pop.flaps + 1, lost_at=look.now, serving_since=None
        )
        run = msgspec.structs.replace(run, pops={**run.pops, name: counted})
    return _lost_as_helper(run, name, need, look)


def _refusal(
    run: Run, name: PopName, need: Need, able: tuple[PopName, ...], look: Look
) -> Refusal | None:
    """Why nothing is done about it yet."""
    away = run.pops[name].phase in AWAY_FROM_HOME
    lately = () if away else lost_lately(run, look.now)
    if need.claim is not None:
        # Others did it already: nobody is asked, but their word may be as wrong as anybody's.
        return None if away else guard_quota(look.fleet, name, lately)
    resists = look.conditions[name].resists
    if resists and not need.silent:
        # Where checks begin to fail elsewhere too, it is perhaps the checks.
        able = tuple(pop for pop in able if not look.conditions[pop].doubted)
    return guard_emergency(
        look.fleet,
        name,
        able,
        lately,
        doubtful=not away and (bool(need.silent) or resists),
    )


def _lost_as_helper(run: Run, lost: PopName, need: Need, look: Look) -> Run:
    """What ``lost`` had taken over is covered again, one rung deeper where it fell silent."""
    if not need.silent and not need.failed:
        return run
    pops = dict(run.pops)
    for name, pop in run.pops.items():
        stood = any(pop.posture.helped_by(lost, kind) for kind in need.families)
        if name == lost or not (stood or _counts_on(pop.plan, lost)):
            continue
        able = tuple(each for each in survivors(run, name, look) if each != lost)
        posture = without_helper(run, name, lost, need, able, look)
        pops[name] = _without(pop, posture, lost, able, look, anycast=depths(run))
    return msgspec.structs.replace(run, pops=pops)


def _counts_on(plan: Plan | None, pop: PopName) -> bool:
    steps = plan.steps if plan is not None else ()
    ahead = (step for step in steps if step.state is not StepState.SETTLED)
    return any(pop in step.posture.helpers for step in ahead)


def _without(
    pop: PopRun,
    posture: Posture,
    lost: PopName,
    able: tuple[PopName, ...],
    look: Look,
    *,
    anycast: Mapping[Family, int],
) -> PopRun:
    """``pop`` with a plan that no longer counts on ``lost``."""
    changed = msgspec.structs.replace(pop, posture=posture)
    outgrown = posture.beside and pop.phase in AWAY_FROM_HOME
    if pop.plan is None or (pop.plan.settled and not outgrown):
        return changed
    name = pop.plan.pop
    if pop.phase is Phase.RETURNING:
        # Home must advertise what the rest now advertise before any of them leaves.
        plan = go_back(look.fleet, name, posture, pop.because, look.now)
        return msgspec.structs.replace(changed, plan=plan)
    if pop.phase is Phase.DRAINING:
        if able and posture.home is Home.AWAY:
            last = msgspec.structs.replace(pop.plan.steps[-1], posture=posture)
            plan = msgspec.structs.replace(pop.plan, steps=(*pop.plan.steps[:-1], last))
            return msgspec.structs.replace(changed, plan=plan)
        if able:
            plan = drain(look.fleet, name, posture, able, pop.because, look.now)
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


def _with(run: Run, name: PopName, look: Look, **changes: object) -> Run:
    new = msgspec.structs.replace(run.pops[name], since=look.now, refusal="", **changes)
    return msgspec.structs.replace(run, pops={**run.pops, name: new})
