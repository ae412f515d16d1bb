"""Overload is not failure: a PoP loaded to its limit is given less through DNS, step by step.

It keeps serving and keeps its routes. Its share of client groups shrinks once per TTL while its
agents say that it is overloaded, never below a quarter, and never where the groups that leave
would overload another; it grows back when it has been calm. Groups are picked by rank, so each
step is a subset of the one before.
"""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.look import Look
from controller.choreography.phases import Phase
from controller.choreography.run import Command, Happened, PopRun, Run, given
from controller.planning.assignment import assign

SHARES = (1.0, 0.5, 0.25)


def overloaded(look: Look, pop: PopName) -> tuple[str, ...]:
    """The services of ``pop`` whose hosts say that they are loaded to their limit."""
    beliefs = (look.world.hosts.get(host) for host in look.fleet.bgp_hosts(pop))
    reports = (each.report for each in beliefs if each is not None and each.report is not None)
    return tuple(sorted({each.service for r in reports for each in r.services if each.overloaded}))


def shed(run: Run, look: Look, commands: list[Command]) -> Run:
    """The run with every PoP's share moved by at most one step."""
    for name in sorted(run.pops):
        pop, hot = run.pops[name], overloaded(look, name)
        if not hot and pop.shed >= 1.0:
            continue
        calm = None if hot else look.now if pop.calm_since is None else pop.calm_since
        share = _next(msgspec.structs.replace(pop, calm_since=calm), look, hot=bool(hot))
        if share < pop.shed and not _others_bear(run, name, share, look.fleet):
            share = pop.shed
        at = pop.shed_at if share == pop.shed else look.now
        # A PoP that is wholly back needs no memory of its rest.
        calm = None if share >= 1.0 else calm
        new = msgspec.structs.replace(pop, shed=share, shed_at=at, calm_since=calm)
        if share != pop.shed:
            why = f"{', '.join(hot)} overloaded" if hot else "calm again"
            text = f"keeps {share:.0%} of its client groups: {why}"
            commands.append(Happened(look.now, "pop.shed", name, text))
        if new != pop:
            run = msgspec.structs.replace(run, pops={**run.pops, name: new})
    return run


def _next(pop: PopRun, look: Look, *, hot: bool) -> float:
    timing, at = look.fleet.timing, SHARES.index(pop.shed) if pop.shed in SHARES else 0
    since = look.now - pop.shed_at
    if hot:
        ready = pop.phase is Phase.HOME and (pop.shed >= 1.0 or since >= timing.ttl)
        return SHARES[min(at + 1, len(SHARES) - 1)] if ready else pop.shed
    rested = pop.calm_since is not None and look.now - pop.calm_since >= timing.settle_down
    # Nobody moves out and back within two TTLs (I11).
    ready = rested and since >= max(2 * timing.ttl, timing.settle_down)
    return SHARES[max(at - 1, 0)] if ready else pop.shed


def _others_bear(run: Run, name: PopName, share: float, fleet: Fleet) -> bool:
    """Whether no other PoP comes over its landing limit by what ``name`` gives away (I6)."""
    now = given(run)
    if not set(now) - {name}:
        return False
    held = next(iter(run.assignments.values())).pops if run.assignments else None
    before = set(assign(fleet, now, held).overloaded)
    after = set(assign(fleet, {**now, name: share}, held).overloaded)
    return not after - before - {name}
