"""``step``: what to do about the world as it is now. Total, deterministic, and level.

    step(run, world, fleet, techniques, now) -> (run, commands)

One look does, in this order: assess every PoP; let what happened choose phases and plans; move
plans on as far as the world allows; derive orders and answers from all postures; emit what
changed. A second look at the same world emits nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.adoption import adopted, heard_enough
from controller.choreography.derive import derive
from controller.choreography.events import WIRE_PATIENCE, event_of, patience
from controller.choreography.look import Look
from controller.choreography.phases import AWAY_FROM_HOME, Phase, after
from controller.choreography.progress import progress
from controller.choreography.replan import replan
from controller.choreography.run import Command, Happened, PopRun, Run, WakeAt, given
from controller.choreography.settling import Waited
from controller.choreography.technique import EVERYTHING, Technique
from controller.planning.failover import failover_table
from controller.world.belief import Intent, World
from controller.world.condition import Condition, assess


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
    look = Look(world, fleet, assess(world, fleet, now), techniques, now)
    commands: list[Command] = []
    run = _happen(_remember_conditions(run, look), look, commands)
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
    run = _prepare(run, fleet, now)
    commands += _wakes(run, fleet, now)
    return run, tuple(commands)


def _remember_wishes(run: Run, world: World) -> Run:
    if run.drains == world.drains:
        return run
    return msgspec.structs.replace(run, drains=dict(world.drains))


def _remember_conditions(run: Run, look: Look) -> Run:
    """Since when each PoP has been serving, or withdrawn, without a break."""
    pops = dict(run.pops)
    for name, pop in run.pops.items():
        condition = look.condition(name)
        pops[name] = msgspec.structs.replace(
            pop,
            serving_since=_since(pop.serving_since, condition is Condition.SERVING, look.now),
            withdrawn_since=_since(
                pop.withdrawn_since, condition is Condition.WITHDRAWN, look.now
            ),
        )
    return run if pops == run.pops else msgspec.structs.replace(run, pops=pops)


def _since(held: float | None, holds: bool, now: float) -> float | None:  # noqa: FBT001
    if not holds:
        return None
    return now if held is None else held


def _happen(run: Run, look: Look, commands: list[Command]) -> Run:
    for name in sorted(run.pops):
        wish = look.intent(name)
        run, moved = _happen_to(run, name, wish, look, commands)
        if not moved and wish is not None and run.pops[name].refusal:
            # A wish that a guard refuses must not keep the PoP from its way back.
            run, _ = _happen_to(run, name, None, look, commands)
    return run


def _happen_to(
    run: Run, name: PopName, wish: Intent | None, look: Look, commands: list[Command]
) -> tuple[Run, bool]:
    """The run after what happened to one PoP, and whether it is in another phase now."""
    pop = run.pops[name]
    event = event_of(pop, name, wish, look)
    phase = after(pop.phase, event) if event is not None else None
    if event is None or phase is None:
        return run, False
    run = replan(run, name, event, phase, look)
    changed = run.pops[name]
    if changed.phase is phase:
        text = f"{pop.phase} -> {phase}: {changed.because}"
        commands.append(Happened(look.now, f"pop.{event}", name, text))
        return run, True
    if changed.refusal and changed.refusal != pop.refusal:
        commands.append(Happened(look.now, "plan.refused", name, changed.refusal))
    return run, False


def _prepare(run: Run, fleet: Fleet, now: float) -> Run:
    """Keeps the failover table ready: recomputed while all is calm, frozen during an incident."""
    if any(pop.phase in AWAY_FROM_HOME for pop in run.pops.values()):
        return run
    current = given(run)
    if set(run.failover) == set(current) and not _shares_changed(run, current):
        return run
    return msgspec.structs.replace(run, failover=failover_table(fleet, current, now))


def _shares_changed(run: Run, current: Mapping[PopName, float]) -> bool:
    return any(
        pop.phase is Phase.RETURNING and current.get(name, 0.0) < 1.0
        for name, pop in run.pops.items()
    )


def _wakes(run: Run, fleet: Fleet, now: float) -> list[Command]:
    due = [now + 1.0]
    for pop in run.pops.values():
        if pop.phase in AWAY_FROM_HOME and pop.serving_since is not None:
            due.append(pop.serving_since + patience(fleet, pop))
        if pop.withdrawn_since is not None:
            due.append(pop.withdrawn_since + WIRE_PATIENCE)
        due += [at for at in _deadlines(pop) if at > now]
    return [WakeAt(min(at for at in due if at > now))]


def _deadlines(pop: PopRun) -> list[float]:
    found = []
    for each in pop.plan.steps if pop.plan else ():
        found.append(each.began_at + each.deadline)
        found += [each.began_at + w.seconds for w in each.settled_when if isinstance(w, Waited)]
    return found
