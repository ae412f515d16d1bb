"""Moving plans on: settle what is observed, begin the next step when the one before settled."""

from __future__ import annotations

import msgspec

from controller.choreography.look import Look
from controller.choreography.plan import Plan, Step, StepEvent, StepState, move
from controller.choreography.run import Command, Happened, PopRun, Run
from controller.choreography.settling import Met, Open, Scene, settled


def progress(run: Run, look: Look, commands: list[Command]) -> Run:
    """The run with every plan moved on by at most one beginning; appends what happened."""
    pops, now = dict(run.pops), look.now
    for name, pop in run.pops.items():
        if pop.plan is None or pop.plan.settled:
            continue
        plan = _settle(pop.plan, Scene(look, run.steering_stamp), commands)
        plan = _begin(plan, now, commands)
        if plan != pop.plan:
            pops[name] = _follow(pop, plan)
        if plan.settled and not pop.plan.settled:
            took = now - plan.began_at
            commands.append(Happened(now, "plan.settled", name, f"{plan.kind} in {took:.3f} s"))
    return msgspec.structs.replace(run, pops=pops)


def _settle(plan: Plan, scene: Scene, commands: list[Command]) -> Plan:
    steps, now = list(plan.steps), scene.look.now
    for index, step in enumerate(steps):
        if step.state not in {StepState.SENT, StepState.OVERDUE}:
            continue
        found = settled(step.settled_when, scene, step.began_at)
        match found:
            case Met(note):
                steps[index] = move(step, StepEvent.SETTLE, now, note)
                commands.append(_told(now, "step.settled", plan, step, note))
            case Open(why) if step.state is StepState.SENT and _expired(step, now):
                steps[index] = move(step, StepEvent.EXPIRE, now, why)
                commands.append(_told(now, "step.overdue", plan, step, why))
            case Open(why) if step.note != why:
                steps[index] = msgspec.structs.replace(step, note=why)
    return msgspec.structs.replace(plan, steps=tuple(steps))


def _expired(step: Step, now: float) -> bool:
    return now >= step.began_at + step.deadline


def _begin(plan: Plan, now: float, commands: list[Command]) -> Plan:
    for index, step in enumerate(plan.steps):
        if step.state is StepState.SETTLED:
            continue
        if step.state is not StepState.WAITING:
            if index + 1 < len(plan.steps) and plan.steps[index + 1].at_once:
                continue
            return plan
        begun = move(step, StepEvent.SEND, now)
        commands.append(_told(now, "step.sent", plan, step, step.text))
        steps = (*plan.steps[:index], begun, *plan.steps[index + 1 :])
        return msgspec.structs.replace(plan, steps=steps)
    return plan


def _told(now: float, kind: str, plan: Plan, step: Step, text: str) -> Happened:
    return Happened(now, kind, plan.pop, f"{plan.kind}/{step.name}: {text}".rstrip(": "))


def _follow(pop: PopRun, plan: Plan) -> PopRun:
    return msgspec.structs.replace(pop, plan=plan, posture=plan.posture or pop.posture)
