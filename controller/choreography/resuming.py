"""Going on where the last controller stopped, with the fleet file of today."""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.kept import of_today
from controller.choreography.plan import Plan
from controller.choreography.posture import Posture, change
from controller.choreography.run import PopRun, Run
from controller.choreography.settling import Advertised, Withdrawn


def resumed(last: Run, new: Run, fleet: Fleet) -> Run:
    """``last`` under a new epoch; PoPs the fleet gained since begin, those it lost are forgotten.

    A plan that counts on a PoP of yesterday goes on without it; orders and tables that name it
    are dropped and derived anew.
    """
    return msgspec.structs.replace(
        last,
        epoch=last.epoch + 1,
        begun=False,
        pops={name: _known(last.pops.get(name, each), fleet) for name, each in new.pops.items()},
        orders={host: sent for host, sent in last.orders.items() if host in _hosts(fleet)},
        failover={} if set(last.failover) - set(fleet.pops) else last.failover,
        armed={name: each for name, each in last.armed.items() if name in fleet.pops},
        keepers={each: pop for each, pop in last.keepers.items() if pop in fleet.pops},
        kept={
            host: of_today(each, fleet)
            for host, each in last.kept.items()
            if host in _hosts(fleet)
        },
        assignments={} if _names(last) - set(fleet.pops) else last.assignments,
        orderless={host: each for host, each in last.orderless.items() if host in _hosts(fleet)},
        drains={name: wish for name, wish in last.drains.items() if name in fleet.pops},
    )


def _hosts(fleet: Fleet) -> set[str]:
    return {host for _, host in fleet.hosts()}


def _names(run: Run) -> set[PopName]:
    return {pop for each in run.assignments.values() for pop in each.pops.values()}


def _known(pop: PopRun, fleet: Fleet) -> PopRun:
    plan = pop.plan and _plan(pop.plan, fleet)
    return msgspec.structs.replace(pop, posture=_posture(pop.posture, fleet), plan=plan)


def _plan(plan: Plan, fleet: Fleet) -> Plan:
    steps = tuple(
        msgspec.structs.replace(
            step,
            posture=_posture(step.posture, fleet),
            settled_when=tuple(
                msgspec.structs.replace(when, pops=_of_today(when.pops, fleet))
                if isinstance(when, Advertised)
                else when
                for when in step.settled_when
                if not isinstance(when, Withdrawn) or when.pop in fleet.pops
            ),
        )
        for step in plan.steps
    )
    return msgspec.structs.replace(plan, steps=steps)


def _posture(posture: Posture, fleet: Fleet) -> Posture:
    return change(posture, helpers=_of_today(posture.helpers, fleet))


def _of_today(pops: tuple[PopName, ...], fleet: Fleet) -> tuple[PopName, ...]:
    return tuple(name for name in pops if name in fleet.pops)
