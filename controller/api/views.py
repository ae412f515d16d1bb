"""From the loop's view to the bodies of the API. Pure; every body has a fixed shape."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, GroupName, PopName, ServiceName
from controller.api.rows import HostRow, PopRow, host_row, pop_row, reports_of
from controller.choreography.plan import Plan, Step
from controller.choreography.settling import Waited
from controller.loop import View


class NameserverRow(msgspec.Struct, frozen=True):
    """One nameserver: which generation it has proven, and whether that is the current one."""

    name: str
    pop: str
    proven: int
    current: int
    agrees: bool
    detail: str = ""


class Status(msgspec.Struct, frozen=True):
    """The whole fleet on one screen.

    ``settled``: nothing is moving and every PoP is at home or drained. ``faults``: turns, journal
    writes and messages that failed since the start; anything but 0 is a bug report, a full disk or
    a fleet too large for one message. ``dropped``: messages of no use, by what was wrong.
    """

    fleet: str
    now: float
    epoch: int
    generation: int
    connected: bool
    deciding: bool
    settled: bool
    faults: int
    pops: list[PopRow]
    nameservers: list[NameserverRow]
    dropped: Mapping[str, int] = {}


class FailoverRow(msgspec.Struct, frozen=True):
    """What would happen if this PoP were lost now."""

    advertisers: tuple[PopName, ...]
    answers: Mapping[GroupName, PopName]
    overloaded: tuple[PopName, ...]
    age: float


class PopPage(msgspec.Struct, frozen=True):
    """One PoP in full."""

    row: PopRow
    hosts: list[HostRow]
    failover: FailoverRow | None
    plan: PlanRow | None


class StepRow(msgspec.Struct, frozen=True):
    """One step of a plan; ``remaining`` is the rest of its wait in seconds."""

    name: str
    layer: str
    text: str
    state: str
    note: str
    remaining: float
    deadline: float
    undo: str


class PlanRow(msgspec.Struct, frozen=True):
    """A plan and where it stands."""

    kind: str
    pop: str
    reason: str
    began_at: float
    settled: bool
    steps: list[StepRow]


class ServicePage(msgspec.Struct, frozen=True):
    """One service, both layers side by side."""

    name: str
    names: tuple[str, ...]
    anycast: tuple[str, ...]
    answers: Mapping[str, tuple[str, ...]]
    pops: Mapping[str, tuple[str, ...]]


def status(view: View, fleet: Fleet) -> Status:
    """The body of ``/status``."""
    rows = pops(view, fleet)
    names = nameservers(view, fleet)
    calm = all(row.phase in {"home", "drained"} for row in rows)
    return Status(
        fleet=fleet.name,
        now=view.now,
        epoch=view.run.epoch,
        generation=view.run.generation,
        connected=view.world.connected,
        deciding=view.run.begun,
        settled=calm and all(each.agrees for each in names),
        faults=view.faults,
        pops=rows,
        nameservers=names,
        dropped=view.dropped,
    )


def pops(view: View, fleet: Fleet) -> list[PopRow]:
    """The body of ``/pops``."""
    return [pop_row(view, fleet, name) for name in sorted(fleet.pops)]


def nameservers(view: View, fleet: Fleet) -> list[NameserverRow]:
    """Every nameserver with the generation it has proven."""
    current = view.run.steering_stamp
    rows = []
    for name, nameserver in sorted(fleet.nameservers.items()):
        belief = view.world.nameservers.get(name)
        proven = belief.proven if belief else None
        detail = belief.report.detail if belief and belief.report else ""
        rows.append(
            NameserverRow(
                name=name,
                pop=nameserver.pop,
                proven=proven.generation if proven else 0,
                current=current.generation,
                agrees=proven == current,
                detail=detail,
            )
        )
    return rows


def pop(view: View, fleet: Fleet, name: PopName) -> PopPage:
    """The body of ``/pops/{pop}``."""
    plan = view.run.pops[name].plan
    return PopPage(
        row=pop_row(view, fleet, name),
        hosts=[host_row(view, fleet, name, host) for host in sorted(fleet.pops[name].hosts)],
        failover=_failover(view, name),
        plan=_plan(plan, view.now) if plan else None,
    )


def _failover(view: View, name: PopName) -> FailoverRow | None:
    """Its row of the table; whose groups do not move stay where they are."""
    row = view.run.failover.get(name)
    if row is None:
        return None
    placed = view.run.assignments.get(Family.V4)
    answers = {**(placed.pops if placed else {}), **row.answers}
    return FailoverRow(row.advertisers, answers, row.overloaded, view.now - row.computed_at)


def plans(view: View) -> list[PlanRow]:
    """The body of ``/plan``: every PoP's latest plan, unsettled ones first."""
    found = [_plan(each.plan, view.now) for each in view.run.pops.values() if each.plan]
    return sorted(found, key=lambda each: (each.settled, each.pop))


def service(view: View, fleet: Fleet, name: ServiceName) -> ServicePage:
    """The body of ``/services/{service}``."""
    one = fleet.services[name]
    steering = view.run.steering
    wires = {
        str(each.name): tuple(sorted(_wire(view, fleet, each.name)))
        for each in fleet.pops.values()
    }
    return ServicePage(
        name=name,
        names=one.names,
        anycast=tuple(one.anycast.addresses.values()),
        answers=steering.answers[name] if steering else {},
        pops=wires,
    )


def services(view: View, fleet: Fleet) -> list[ServicePage]:
    """The body of ``/services``."""
    return [service(view, fleet, name) for name in sorted(fleet.services)]


def _plan(plan: Plan, now: float) -> PlanRow:
    steps = [_step(each, now) for each in plan.steps]
    return PlanRow(plan.kind, plan.pop, plan.reason, plan.began_at, plan.settled, steps)


def _step(step: Step, now: float) -> StepRow:
    waits = [each.seconds for each in step.settled_when if isinstance(each, Waited)]
    due = step.began_at + max(waits, default=0.0)
    running = step.state in {"sent", "overdue"}
    return StepRow(
        name=step.name,
        layer=step.layer,
        text=step.text,
        state=step.state,
        note=step.note,
        remaining=round(max(0.0, due - now), 3) if running else 0.0,
        deadline=step.deadline,
        undo=step.undo,
    )


def _wire(view: View, fleet: Fleet, name: PopName) -> set[str]:
    return {each.prefix for report in reports_of(view, fleet, name) for each in report.wire}
