"""``step``: what to do about the world as it is now. Total, deterministic, and level.

    step(run, world, fleet, techniques, now) -> (run, commands)

One look does, in this order: assess every PoP; let what happened choose phases and plans; move
plans on as far as the world allows; derive orders and answers from all postures; emit what
changed. A second look at the same world emits nothing.
"""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from controller.choreography.adoption import adopted, heard_enough
from controller.choreography.anycast import WAY_PATIENCE, follow_ways
from controller.choreography.claims import Told, heeded, sifted, unheeded
from controller.choreography.derive import derive
from controller.choreography.events import event_of, patience
from controller.choreography.look import Look
from controller.choreography.mending import mended
from controller.choreography.needs import (
    RESISTING_PATIENCE,
    WIRE_PATIENCE,
    family_patience,
    together,
)
from controller.choreography.phases import AWAY_FROM_HOME, Phase, after
from controller.choreography.progress import progress
from controller.choreography.reissue import reissued
from controller.choreography.replan import replan
from controller.choreography.run import Command, Happened, PopRun, Run, WakeAt, given
from controller.choreography.settling import Waited
from controller.choreography.shedding import shed
from controller.choreography.technique import EVERYTHING, Technique
from controller.planning.failover import failover_table
from controller.world.belief import Intent, World
from controller.world.condition import Assessment, Condition, assess

# One look may find a PoP established, and then missing something; never more than a few events.
MOST_EVENTS = 3
_COMING = frozenset({Phase.STARTING, Phase.RETURNING})


def step(
    run: Run,
    world: World,
    fleet: Fleet,
    now: float,
    techniques: frozenset[Technique] = EVERYTHING,
) -> tuple[Run, tuple[Command, ...]]:
    """The run after looking at ``world``, and the commands that carry it out, in order."""
    run = _remember_wishes(run, world)
    if not run.begun:
        ready = heard_enough(world, fleet, now)
        if ready is not None:
            return run, (WakeAt(ready),)
        run = adopted(run, world, fleet, now)
    if not world.connected:
        # What is believed grows old, and nobody would hear an order: hold everything (I8).
        return run, (WakeAt(now + 1.0),)
    conditions = assess(world, fleet, now)
    told = sifted(run, world, fleet, conditions, now)
    look = Look(world, fleet, conditions, techniques, now, told.claims)
    commands: list[Command] = []
    before = run = _tell_ignored(run, told, now, commands)
    run = follow_ways(heeded(run, world, fleet, told), look)
    run = mended(shed(_remember_conditions(run, look), look, commands), look)
    run = unheeded(_happen(run, look, commands), before, told)
    run = reissued(_prepare(run, look), look, commands)
    # Plans move first and orders are derived after: one emergency is one order per host, and so
    # one UPDATE per session. What a step is sent may settle it at once, so look again until
    # nothing moves; a plan has few steps.
    for _ in range(sum(len(each.plan.steps) for each in run.pops.values() if each.plan) + 1):
        moved = progress(run, look, commands)
        derived, sent = derive(moved, look)
        commands += sent
        if derived == run:
            break
        run = derived
    commands += _wakes(run, fleet, now)
    return run, tuple(commands)


def _remember_wishes(run: Run, world: World) -> Run:
    if run.drains == world.drains:
        return run
    return msgspec.structs.replace(run, drains=dict(world.drains))


def _tell_ignored(run: Run, told: Told, now: float, commands: list[Command]) -> Run:
    """Says once of each claim that it is not believed."""
    if tuple(told.ignored) == run.ignored:
        return run
    for key, why in told.ignored.items():
        if key not in run.ignored:
            commands.append(Happened(now, "claim.ignored", key.split(" ")[1], why))
    return msgspec.structs.replace(run, ignored=tuple(told.ignored))


def _remember_conditions(run: Run, look: Look) -> Run:
    """Since when each PoP has been serving, or partly silent, and so on, without a break."""
    pops = {name: _remembered(pop, look.conditions[name], look) for name, pop in run.pops.items()}
    return run if pops == run.pops else msgspec.structs.replace(run, pops=pops)


def _remembered(pop: PopRun, found: Assessment, look: Look) -> PopRun:
    serves = found.condition is Condition.SERVING
    held = {
        "serving_since": serves and not found.silent and not found.bare,
        "withdrawn_since": bool(found.bare) and found.condition is not Condition.UNFIT,
        "silent_since": bool(found.silent) and found.condition is not Condition.SILENT,
        "resisting_since": found.resists,
        "helped_since": found.resists and pop.alone and bool(look.serving()),
    }
    since = {name: _since(getattr(pop, name), holds, look.now) for name, holds in held.items()}
    alone = found.resists and (pop.alone or not look.serving())
    remembered = msgspec.structs.replace(pop, **since, alone=alone)
    return pop if remembered == pop else remembered


def _since(held: float | None, holds: bool, now: float) -> float | None:  # noqa: FBT001
    if not holds:
        return None
    return now if held is None else held


def _happen(run: Run, look: Look, commands: list[Command]) -> Run:
    for name in sorted(run.pops):
        wish, moved = look.intent(name), False
        for _ in range(MOST_EVENTS):
            run, moved = _happen_to(run, name, wish, look, commands)
            pop = run.pops[name]
            # What a guard refuses must not keep one that starts from its clients.
            if not moved and not (pop.refusal and pop.phase is Phase.STARTING):
                break
        if not moved and wish is not None and run.pops[name].refusal:
            # A wish that a guard refuses must not keep the PoP from its way back.
            run, _ = _happen_to(run, name, None, look, commands)
    return run


def _happen_to(
    run: Run, name: PopName, wish: Intent | None, look: Look, commands: list[Command]
) -> tuple[Run, bool]:
    """The run after what happened to one PoP, and whether it is in another phase now."""
    pop = run.pops[name]
    event = event_of(run, name, wish, look)
    phase = after(pop.phase, event) if event is not None else None
    if event is None or phase is None:
        return run, False
    run = replan(run, name, event, phase, look)
    changed = run.pops[name]
    if changed.phase is phase and not changed.refusal:
        text = f"{pop.phase} -> {phase}: {changed.because}"
        commands.append(Happened(look.now, f"pop.{event}", name, text))
        return run, True
    if changed.refusal and changed.refusal != pop.refusal:
        commands.append(Happened(look.now, "plan.refused", name, changed.refusal))
    return run, False


def _prepare(run: Run, look: Look) -> Run:
    """Keeps the failover table ready: made while all is calm, frozen otherwise."""
    calm = not any(pop.phase in AWAY_FROM_HOME for pop in run.pops.values())
    if not calm and run.failover:
        return run
    # Who is about to serve is counted already: a table made anew for each PoP that comes up at a
    # start, or for each step of a return, would be as many orders for everybody.
    coming = {name: run.pops[name].shed for name in run.pops if _is_coming(run, name, look)}
    current = {**given(run), **coming}
    if set(run.failover) == set(current) and run.shares == current:
        return run
    held = run.assignments[Family.V4].pops if Family.V4 in run.assignments else None
    table = failover_table(look.fleet, current, look.now, held)
    return msgspec.structs.replace(run, failover=table, shares=current)


def _is_coming(run: Run, name: PopName, look: Look) -> bool:
    gone = {Condition.SILENT, Condition.UNFIT}
    return run.pops[name].phase in _COMING and look.condition(name) not in gone


def _wakes(run: Run, fleet: Fleet, now: float) -> list[Command]:
    due = [now + 1.0]
    for pop in run.pops.values():
        if pop.phase in AWAY_FROM_HOME and pop.serving_since is not None:
            due.append(pop.serving_since + patience(fleet, pop))
        if pop.withdrawn_since is not None:
            due.append(pop.withdrawn_since + WIRE_PATIENCE)
        if pop.resisting_since is not None:
            due.append(pop.resisting_since + RESISTING_PATIENCE)
        if pop.helped_since is not None:
            due.append(pop.helped_since + together(fleet))
        if pop.silent_since is not None:
            due.append(pop.silent_since + family_patience(fleet))
        due += [at for at in _deadlines(pop) if at > now]
    due += [way.since + WAY_PATIENCE for way in run.silent_ways.values() if not way.answered]
    return [WakeAt(min(at for at in due if at > now))]


def _deadlines(pop: PopRun) -> list[float]:
    found = []
    for each in pop.plan.steps if pop.plan else ():
        found.append(each.began_at + each.deadline)
        found += [each.began_at + w.seconds for w in each.settled_when if isinstance(w, Waited)]
    return found
