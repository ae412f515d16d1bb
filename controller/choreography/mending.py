"""An uplink that works again gets the more-specifics that went around it.

While it was silent, the PoP's other uplinks advertised its prefixes one rung deeper. As long as
this one lacks them it carries no traffic towards the PoP, so after the settle-down time they go
through all uplinks and become the PoP's posture. That only adds: what is on a wire stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ambicast.contract.messages import DeedKind, Report
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName, UplinkName
from ambicast.model.prefixes import contains, family, length
from ambicast.model.routes import Advertisement
from controller.choreography.kept import Kept
from controller.choreography.ladder import rungs
from controller.choreography.look import Look
from controller.choreography.phases import Phase
from controller.choreography.posture import Posture, change
from controller.choreography.run import Run


def mended(run: Run, look: Look) -> Run:
    """The run with every uplink mended that has worked again for long enough."""
    for host, mine in run.kept.items():
        name = look.fleet.pop_of(host).name
        for each in mine:
            if each.mended or not _about_uplink(each, look.fleet, name):
                continue
            works = look.serves(name) and _works(each, look.world.hosts[host].report)
            back = None if not works else look.now if each.back_since is None else each.back_since
            new = msgspec.structs.replace(each, back_since=back)
            if back is not None and look.now - back >= look.fleet.timing.settle_down:
                run, new = _mend(run, look.fleet, name, new)
            if new != each:
                run = _put(run, host, each, new)
    return run


def _about_uplink(kept: Kept, fleet: Fleet, pop: PopName) -> bool:
    return kept.kind is DeedKind.SPLIT and UplinkName(kept.about) in fleet.pops[pop].uplinks


def _works(kept: Kept, report: Report | None) -> bool:
    kinds = {family(prefix) for prefix in kept.prefixes}
    return any(
        each.uplink == kept.about
        and each.carrier
        and not each.held_down
        and all(each.working.get(kind) for kind in kinds)
        for each in (report.uplinks if report else ())
    )


def _mend(run: Run, fleet: Fleet, name: PopName, kept: Kept) -> tuple[Run, Kept]:
    pop = run.pops[name]
    if pop.phase is not Phase.HOME or (pop.plan is not None and not pop.plan.settled):
        return run, kept  # a plan has postures of its own; afterwards is soon enough
    deep = {kind: _depth(fleet, name, kind, kept) for kind in Family}
    wanted = {kind: depth for kind, depth in deep.items() if depth > pop.posture.split_in(kind)}
    standing = tuple(_standing(fleet, name, pop.posture, wanted))
    known = {(each.prefix, each.uplink) for each in kept.advertisements}
    more = tuple(each for each in standing if (each.prefix, each.uplink) not in known)
    posture = change(pop.posture, splits={**pop.posture.splits, **wanted})
    pops = {**run.pops, name: msgspec.structs.replace(pop, posture=posture)}
    sent = (*kept.advertisements, *more)
    kept = msgspec.structs.replace(kept, mended=True, advertisements=sent)
    return msgspec.structs.replace(run, pops=pops), kept


def _depth(fleet: Fleet, name: PopName, kind: Family, kept: Kept) -> int:
    return max(
        (
            length(each) - length(prefix)
            for prefix in fleet.pops[name].prefixes_of(kind)
            for each in kept.prefixes
            if contains(prefix, each)
        ),
        default=0,
    )


def _standing(
    fleet: Fleet, name: PopName, posture: Posture, wanted: dict[Family, int]
) -> Iterator[Advertisement]:
    """The rung that is advertised now in these families: going deeper must not withdraw it."""
    for kind in wanted:
        for prefix in fleet.pops[name].prefixes_of(kind):
            for part in rungs(prefix, posture.split_in(kind)):
                for uplink, link in sorted(fleet.pops[name].uplinks.items()):
                    if kind in link.families:
                        yield Advertisement(part, uplink)


def _put(run: Run, host: HostName, old: Kept, new: Kept) -> Run:
    mine = tuple(new if each is old else each for each in run.kept[host])
    return msgspec.structs.replace(run, kept={**run.kept, host: mine})
