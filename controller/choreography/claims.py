"""What hosts say they did by themselves, read off their reports (level, not edge).

A *claim* is a PoP that other hosts took over while no controller was there, and that this
controller has not adopted yet. Whatever its journal says, that PoP is taken over: the hosts are
its helpers. A deed is known by its kind, subject and begin; one that has been adopted once is no
news, however long its host goes on reporting it (its agent may be dead).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import contains, family, length
from ambicast.model.routes import Advertisement
from controller.choreography.kept import Claim, adopted
from controller.choreography.layout import layout
from controller.choreography.run import Run
from controller.world.belief import World
from controller.world.condition import Assessment, Condition


def deeds(world: World, fleet: Fleet) -> Iterator[tuple[PopName, HostName, Deed]]:
    """Every deed that a host of the fleet reports, less those about a host beside it.

    Those are heard by the PoP's own router alone, and end by themselves.
    """
    for pop, host in fleet.hosts():
        belief = world.hosts.get(host)
        for deed in belief.report.deeds if belief and belief.report else ():
            if deed.kind is DeedKind.COVER or deed.about not in pop.hosts:
                yield pop.name, host, deed


def claims(
    run: Run, world: World, fleet: Fleet, conditions: Mapping[PopName, Assessment]
) -> Mapping[PopName, Claim]:
    """The PoPs whose takeover is news."""
    new: dict[PopName, list[tuple[PopName, Deed]]] = {}
    for pop, host, deed in deeds(world, fleet):
        known = any(each.is_of(deed) for each in run.kept.get(host, ()))
        lost = PopName(deed.about)
        if deed.kind is DeedKind.COVER and not known and lost in fleet.pops and lost != pop:
            new.setdefault(lost, []).append((pop, deed))
    return {lost: _claim(fleet, lost, told, conditions) for lost, told in new.items()}


def heeded(run: Run, world: World, fleet: Fleet) -> Run:
    """The run that knows every deed, and what of them has reached the wire."""
    told: dict[HostName, list[Deed]] = {}
    for _, host, deed in deeds(world, fleet):
        told.setdefault(host, []).append(deed)
    if not told and not run.kept:
        return run
    kept = dict(run.kept)
    for host in sorted({*told, *kept}):
        belief = world.hosts.get(host)
        wire: tuple[Advertisement, ...] = belief.report.wire if belief and belief.report else ()
        kept[host] = adopted(kept.get(host, ()), told.get(host, ()), wire)
    return run if kept == run.kept else msgspec.structs.replace(run, kept=kept)


def _claim(
    fleet: Fleet,
    lost: PopName,
    told: list[tuple[PopName, Deed]],
    conditions: Mapping[PopName, Assessment],
) -> Claim:
    dead = {pop for pop, _ in told if conditions[pop].condition is Condition.SILENT}
    depths: dict[Family, int] = {}
    shared: dict[Family, int] = {}
    for pop, deed in told:
        for kind in Family:
            # What a helper left behind that is dead too must be beaten.
            more = 1 if pop in dead else 0
            own = _depth(deed, layout(fleet).own[lost][kind])
            if own is not None:
                depths[kind] = max(own + more, depths.get(kind, 0))
            common = _depth(deed, layout(fleet).anycast[kind])
            if common is not None:
                shared[kind] = max(common, shared.get(kind, 0))
    helpers = tuple(sorted({pop for pop, _ in told} - dead))
    return Claim(helpers, depths, shared)


def _depth(deed: Deed, prefixes: tuple[str, ...]) -> int | None:
    found = [
        length(each) - length(prefix)
        for each in deed.prefixes
        for prefix in prefixes
        if family(each) is family(prefix) and contains(prefix, each)
    ]
    return max(found, default=None)
