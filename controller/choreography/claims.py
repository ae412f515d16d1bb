"""What hosts say they did by themselves, read off their reports (level, not edge).

A *claim* is a PoP that other hosts took over while no controller was there, and that this
controller has not adopted yet. Whatever its journal says, that PoP is taken over: the hosts are
its helpers. A deed is known by its kind, subject and begin; one that has been adopted once is no
news, however long its host goes on reporting it (its agent may be dead). One host alone is not
believed everything: what it says must stand on its wire, a PoP that serves before all eyes takes
more than one PoP's word, and claims count against the quota of losses like silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import contains, family, length
from ambicast.model.quorum import Subject
from ambicast.model.routes import Advertisement
from controller.choreography.kept import Claim, Kept, adopted
from controller.choreography.layout import layout
from controller.choreography.needs import unclaimed
from controller.choreography.run import Run
from controller.world.belief import World
from controller.world.condition import Assessment, Condition
from controller.world.liveness import Votes, ballots


def deeds(world: World, fleet: Fleet) -> Iterator[tuple[PopName, HostName, Deed]]:
    """Every deed that a host of the fleet reports, less those about a host beside it.

    Those are heard by the PoP's own router alone, and end by themselves.
    """
    for pop, host in fleet.hosts():
        belief = world.hosts.get(host)
        for deed in belief.report.deeds if belief and belief.report else ():
            if deed.kind is DeedKind.COVER or deed.about not in pop.hosts:
                yield pop.name, host, deed


class Told(msgspec.Struct, frozen=True):
    """What is made of the takeovers that hosts report.

    Attributes:
        claims: the PoPs whose takeover is news, and believed.
        covers: every believed deed, with what of it stands on its host's wire.
        ignored: "host PoP" -> why that host's word alone does not take the PoP over.
    """

    claims: Mapping[PopName, Claim] = {}
    covers: tuple[tuple[HostName, Deed], ...] = ()
    ignored: Mapping[str, str] = {}


def sifted(
    run: Run,
    world: World,
    fleet: Fleet,
    conditions: Mapping[PopName, Assessment],
    now: float,
) -> Told:
    """What hosts say they took over, as far as it is believed.

    A host is believed what stands on its wire. That a PoP is gone which serves, and which others
    see, must be the word of as many PoPs as it takes to find one gone.
    """
    about: dict[PopName, list[tuple[PopName, HostName, Deed]]] = {}
    for pop, host, deed in _standing(world, fleet):
        about.setdefault(PopName(deed.about), []).append((pop, host, deed))
    polled = ballots(world, fleet, now) if about else {}
    found: dict[PopName, Claim] = {}
    covers: list[tuple[HostName, Deed]] = []
    ignored: dict[str, str] = {}
    for lost, told in about.items():
        new = [
            (pop, host, deed)
            for pop, host, deed in told
            if not any(each.is_of(deed) for each in run.kept.get(host, ()))
        ]
        if not new:
            continue
        pops = {pop for pop, _, _ in told}
        kinds = {family(prefix) for _, _, deed in new for prefix in deed.prefixes}
        if (
            len(pops) < fleet.timing.quorum
            and not pops <= set(run.pops[lost].posture.helpers)
            and serves(conditions[lost], lost, kinds, polled, fleet.timing.quorum)
        ):
            why = f"{lost} serves and is seen; at least {fleet.timing.quorum} PoPs must say so"
            ignored |= {f"{host} {lost}": f"{host} says it took over: {why}" for _, host, _ in new}
            continue
        found[lost] = _claim(fleet, lost, [(pop, deed) for pop, _, deed in new], conditions)
        covers += [(host, deed) for _, host, deed in new]
    return Told(found, tuple(covers), ignored)


def _standing(world: World, fleet: Fleet) -> Iterator[tuple[PopName, HostName, Deed]]:
    """Deeds that cover a PoP of the fleet, less what of them is not on their host's wire."""
    for pop, host, deed in deeds(world, fleet):
        lost = PopName(deed.about)
        report = world.hosts[host].report
        if deed.kind is not DeedKind.COVER or lost not in fleet.pops or lost == pop or not report:
            continue
        wire = {each.prefix for each in report.wire}
        own = fleet.pops[lost].prefixes
        sent = tuple(prefix for prefix in deed.prefixes if prefix in wire)
        if any(contains(whole, prefix) for prefix in sent for whole in own):
            yield pop, host, msgspec.structs.replace(deed, prefixes=sent)


def serves(
    found: Assessment,
    name: PopName,
    kinds: Iterable[Family],
    polled: Mapping[Subject, Votes],
    quorum: int,
) -> bool:
    """Whether it serves in all of ``kinds``, and more PoPs see it there than do not."""
    return found.condition is Condition.SERVING and all(
        kind not in found.silent and polled.get((name, kind), Votes()).seen(quorum)
        for kind in kinds
    )


def heeded(run: Run, world: World, fleet: Fleet, told: Told) -> Run:
    """The run that knows every believed deed, and what of them has reached the wire."""
    news: dict[HostName, list[Deed]] = {}
    for _, host, deed in deeds(world, fleet):
        if deed.kind is not DeedKind.COVER:
            news.setdefault(host, []).append(deed)
    for host, deed in told.covers:
        news.setdefault(host, []).append(deed)
    if not news and not run.kept:
        return run
    kept = dict(run.kept)
    for host in sorted({*news, *kept}):
        belief = world.hosts.get(host)
        wire: tuple[Advertisement, ...] = belief.report.wire if belief and belief.report else ()
        kept[host] = adopted(kept.get(host, ()), news.get(host, ()), wire)
    return run if kept == run.kept else msgspec.structs.replace(run, kept=kept)


def unheeded(run: Run, before: Run, told: Told) -> Run:
    """The run without deeds whose claim a guard refused: they are news at the next look too."""
    refused = {
        name
        for name, claim in told.claims.items()
        if run.pops[name].refusal and unclaimed(run.pops[name].posture, claim)
    }
    if not refused:
        return run
    kept = {}
    for host, mine in run.kept.items():
        held = before.kept.get(host, ())
        left = tuple(each for each in mine if not _covers(each, refused))
        left += tuple(each for each in held if _covers(each, refused))
        if left or host in before.kept:
            kept[host] = left
    return msgspec.structs.replace(run, kept=kept)


def _covers(kept: Kept, names: set[PopName]) -> bool:
    return kept.kind is DeedKind.COVER and PopName(kept.about) in names


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
