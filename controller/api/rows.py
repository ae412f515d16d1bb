"""One PoP, and one host, as rows of the API's bodies. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.contract.messages import (
    Brake,
    Deed,
    Fitness,
    Report,
    Said,
    Session,
    UplinkState,
)
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from controller.choreography.phases import Phase
from controller.choreography.run import PopRun
from controller.loop import View
from controller.world.belief import HostBelief
from controller.world.condition import Assessment
from controller.world.hosts import spoken
from controller.world.liveness import hosts_gone, words


class PopRow(msgspec.Struct, frozen=True):
    """One PoP in a line: how it is, what is being done, who is given it.

    Attributes:
        families: family -> ``home``, ``silent``, ``off the wire``, or what is being done about it.
        keeps: shared prefixes that it may not drop before another took the keeper's role.
        brake: what operators on its hosts asked for, and why.
        voiceless: hosts whose responder answers, but whose agent is silent.
        overloaded: services whose hosts are loaded to their limit.
        shed: share of its client groups that it keeps because of that (1: all).
    """

    name: str
    city: str
    condition: str
    because: str
    phase: str
    since: float
    given: float
    sessions_up: int
    sessions: int
    drain: str = ""
    refusal: str = ""
    families: Mapping[str, str] = {}
    keeps: tuple[str, ...] = ()
    brake: str = ""
    voiceless: tuple[str, ...] = ()
    overloaded: tuple[str, ...] = ()
    shed: float = 1.0


class HostRow(msgspec.Struct, frozen=True):
    """One host as its agent reports it.

    Attributes:
        brake: what an operator pulled on the host itself.
        deeds: what it advertises without an order, why, and since when.
        load: the larger of CPU and busiest uplink, as a share of what they can carry.
        keeps: shared prefixes whose keeper's role it took from another.
        voice: false where its responder answers, but its agent is silent: the rest is old.
        switched: its dead man's switch has withdrawn what its failed service was behind.
        lost: a quorum of other PoPs does not see it.
        adopted: what of its deeds is in its orders now.
        may_add: PoPs it takes over if they are lost while no controller is there.
    """

    name: str
    online: bool
    order: int
    accepted: int
    refusals: tuple[str, ...]
    sessions: tuple[Session, ...]
    uplinks: tuple[UplinkState, ...]
    services: tuple[Fitness, ...]
    wire: tuple[str, ...]
    terminated: tuple[str, ...]
    brake: Brake | None = None
    deeds: tuple[Deed, ...] = ()
    load: float = 0.0
    keeps: tuple[str, ...] = ()
    voice: bool = True
    switched: bool = False
    lost: bool = False
    adopted: tuple[str, ...] = ()
    may_add: tuple[str, ...] = ()


def pop_row(view: View, fleet: Fleet, name: PopName) -> PopRow:
    """One PoP in a line."""
    run: PopRun = view.run.pops[name]
    found = view.conditions[name]
    reports = reports_of(view, fleet, name)
    sessions = [each for report in reports for each in report.sessions]
    drain = view.world.drains.get(name)
    said = words(view.world, view.now)
    brakes = [report.brake for report in reports if report.brake]
    return PopRow(
        name=name,
        city=fleet.pops[name].place.city,
        condition=found.condition,
        because=found.because,
        phase=run.phase,
        since=run.since,
        given=run.posture.given * run.shed,
        sessions_up=sum(each.established for each in sessions),
        sessions=len(sessions),
        drain=drain.reason if drain else "",
        refusal=run.refusal,
        families=_families(run, found, spoken(fleet, name)),
        keeps=tuple(sorted(each for each, pop in view.run.keepers.items() if pop == name)),
        brake="; ".join(f"{each.kind}: {each.reason}" for each in brakes),
        voiceless=tuple(h for h in fleet.bgp_hosts(name) if not _voice(said.get(h, ()))),
        overloaded=tuple(
            sorted({s.service for report in reports for s in report.services if s.overloaded})
        ),
        shed=run.shed,
    )


def _families(run: PopRun, found: Assessment, kinds: tuple[Family, ...]) -> Mapping[str, str]:
    rows = {}
    for kind in kinds:
        state = "silent" if kind in found.silent else "off the wire" if kind in found.bare else ""
        phase = run.phase if run.posture.concerns(kind) else Phase.HOME
        rows[str(kind)] = f"{state}, {phase}" if state else str(phase)
    return rows


def _voice(said: tuple[Said, ...]) -> bool:
    return not said or any(each.voice for each in said)


def host_row(view: View, fleet: Fleet, pop: PopName, name: str) -> HostRow:
    """One host."""
    host = HostName(name)
    belief = view.world.hosts.get(host, HostBelief())
    report = belief.report or Report(instance="")
    sent = view.run.orders.get(host)
    said = words(view.world, view.now).get(host, ())
    kept = view.run.kept.get(host, ())
    rows = view.run.failover.items()
    return HostRow(
        name=name,
        online=bool(belief.presence and belief.presence.online),
        order=sent.stamp.generation if sent else 0,
        accepted=max(belief.accepted.generation, report.order_generation),
        refusals=belief.refusals,
        sessions=report.sessions,
        uplinks=report.uplinks,
        services=report.services,
        wire=tuple(sorted({each.prefix for each in report.wire})),
        terminated=report.terminated,
        deeds=report.deeds,
        brake=report.brake,
        keeps=report.keeps,
        voice=_voice(said),
        switched=any(each.switched for each in said),
        lost=host in hosts_gone(view.world, fleet, view.now),
        load=report.load,
        adopted=tuple(sorted({ad.prefix for each in kept for ad in each.advertisements})),
        may_add=tuple(sorted(lost for lost, row in rows if pop in row.advertisers)),
    )


def reports_of(view: View, fleet: Fleet, name: PopName) -> list[Report]:
    """What the hosts of a PoP told last."""
    found = (view.world.hosts.get(host) for host in fleet.bgp_hosts(name))
    return [each.report for each in found if each is not None and each.report is not None]
