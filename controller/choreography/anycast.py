"""The depth of anycast more-specifics: everybody's or nobody's.

A more-specific wins everywhere, whoever sends it; so all members advertise the same rung or none
does, and only in sets small enough. They go one rung deeper when a member falls silent, and when
one of its uplinks does: what was last said there is stale, and cannot be withdrawn through it.
The depth is latched, and each family has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ambicast.contract.messages import DeedKind, Report
from ambicast.model.identifiers import Family, HostName
from ambicast.model.prefixes import family
from controller.choreography.claims import deeds
from controller.choreography.ladder import DEEPEST
from controller.choreography.layout import layout
from controller.choreography.look import Look
from controller.choreography.run import Run, SilentWay
from controller.choreography.technique import Technique
from controller.world.condition import Condition

# An agent tells at the first sign, and a gap of 300 ms must change nothing: its word that the gap
# is over may be a second late on the lossy uplink it travels by. A deed needs no patience: the
# agent has waited itself. Where it has none (nothing it advertises can be split), this must do.
WAY_PATIENCE = 2.0


def depths(run: Run) -> Mapping[Family, int]:
    """Family -> the depth of its anycast more-specifics."""
    return {kind: run.anycast_in(kind) for kind in Family}


def deepened(run: Run, look: Look, kinds: Iterable[Family]) -> Run:
    """The run with anycast prefixes of ``kinds`` one rung deeper, where the set is small."""
    if not layout(look.fleet).small or Technique.HALVES not in look.techniques:
        return run
    return at_least(run, {kind: min(DEEPEST, run.anycast_in(kind) + 1) for kind in kinds})


def at_least(run: Run, wanted: Mapping[Family, int]) -> Run:
    """The run with anycast prefixes at least so deep."""
    found = {kind: max(run.anycast_in(kind), wanted.get(kind, 0)) for kind in Family}
    if found == depths(run):
        return run
    common = min(found.values())
    apart = {kind: depth for kind, depth in found.items() if depth > common}
    return msgspec.structs.replace(run, anycast_depth=common, anycast=apart)


def follow_ways(run: Run, look: Look) -> Run:
    """Goes deeper once for every uplink that falls silent, and remembers which were.

    One that is back for less than the settle-down time has never been away: a flapping uplink
    must not use up the rungs.
    """
    told = set(_told(look))
    silent = told | set(_silent(look))
    if not silent and not run.silent_ways:
        return run
    ways = _remembered(run, silent, look)
    due = {
        key
        for key in silent
        if not ways[key].answered and (key in told or look.now - ways[key].since >= WAY_PATIENCE)
    }
    run = deepened(run, look, {Family(key.rsplit(" ", 1)[1]) for key in due}) if due else run
    ways |= {key: msgspec.structs.replace(ways[key], answered=True) for key in due}
    return run if ways == run.silent_ways else msgspec.structs.replace(run, silent_ways=ways)


def _remembered(run: Run, silent: set[str], look: Look) -> dict[str, SilentWay]:
    found: dict[str, SilentWay] = {}
    for key in sorted({*silent, *run.silent_ways}):
        way = run.silent_ways.get(key, SilentWay(look.now))
        back = None if key in silent else look.now if way.back_since is None else way.back_since
        rested = back is not None and look.now - back >= look.fleet.timing.settle_down
        if not rested and (way.answered or key in silent):
            found[key] = msgspec.structs.replace(way, back_since=back)
    return found


def key_of(host: HostName, uplink: str, kind: Family) -> str:
    """The key of a way in ``Run.silent_ways``."""
    return f"{host} {uplink} {kind}"


def silent_ways(report: Report) -> Iterator[tuple[str, Family]]:
    """The uplinks from which nothing comes, although they have carrier and others work."""
    for kind in Family:
        works = {each.uplink for each in report.uplinks if each.working.get(kind)}
        for each in report.uplinks:
            mute = each.working.get(kind) is False and each.carrier and not each.held_down
            if mute and works - {each.uplink}:
                yield each.uplink, kind


def _silent(look: Look) -> Iterator[str]:
    for pop, host in look.fleet.hosts():
        belief = look.world.hosts.get(host)
        if belief and belief.report and look.condition(pop.name) is not Condition.SILENT:
            for uplink, kind in silent_ways(belief.report):
                yield key_of(host, uplink, kind)


def _told(look: Look) -> Iterator[str]:
    for pop, host, deed in deeds(look.world, look.fleet):
        if deed.kind is DeedKind.SPLIT and look.condition(pop) is not Condition.SILENT:
            for kind in sorted({family(prefix) for prefix in deed.prefixes}):
                yield key_of(host, deed.about, kind)
