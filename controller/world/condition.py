"""How each PoP is, in one word: the question every decision starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.quorum import Subject
from controller.world.belief import World
from controller.world.hosts import HostState, HostView, spoken, view_host
from controller.world.liveness import STALE_AFTER, Votes, ballots, hosts_gone, whole, words

# An agent is back within two seconds; a PoP that dies within this time of a good-bye waits for it.
RESTART_GRACE = 10.0


class Condition(StrEnum):
    """The condition of one PoP.

    ``UNKNOWN``: nothing heard yet, or neither seen nor heard lately (too few watchers, or no
    broker): what it once reported says nothing about now. ``SILENT``: a quorum says gone.
    ``UNFIT``: alive, but too few of its hosts pass their checks. ``WITHDRAWN``: fit, but its own
    prefixes are on no wire. ``SERVING``: the rest. A PoP whose agents are silent and whose dead
    man's switches have fired counts as ``SILENT`` too: no order reaches it.
    """

    UNKNOWN = "unknown"
    SILENT = "silent"
    UNFIT = "unfit"
    WITHDRAWN = "withdrawn"
    SERVING = "serving"


class Assessment(msgspec.Struct, frozen=True):
    """The condition, and the evidence in one sentence.

    Attributes:
        condition: in one word.
        because: in one sentence.
        silent: families in which a quorum says gone; all where it is SILENT, else fewer.
        bare: families whose own prefixes are on no wire; all where it is WITHDRAWN, else fewer.
        resists: UNFIT, and still advertising: its agents have a reason to.
        doubted: its checks have begun to fail somewhere, but nobody has judged it yet.
        lost: those of its hosts that a quorum does not see.
        enough: as many of its hosts pass their checks as it needs.
    """

    condition: Condition
    because: str
    silent: tuple[Family, ...] = ()
    bare: tuple[Family, ...] = ()
    resists: bool = False
    doubted: bool = False
    lost: frozenset[HostName] = frozenset()
    enough: bool = False


def assess(world: World, fleet: Fleet, now: float) -> Mapping[PopName, Assessment]:
    """The condition of every PoP of the fleet at ``now``."""
    polled, hosts = ballots(world, fleet, now), _hosts(world, fleet, now)
    return {
        name: _with_hosts(
            _assess(world, fleet, name, polled, hosts[name], now),
            hosts[name],
            fleet.pops[name].min_hosts,
        )
        for name in fleet.pops
    }


def _with_hosts(found: Assessment, hosts: Sequence[HostView], least: int) -> Assessment:
    lost = frozenset(each.host for each in hosts if each.state is HostState.LOST)
    enough = sum(each.state is HostState.PASSING for each in hosts) >= least
    return msgspec.structs.replace(found, lost=lost, enough=enough)


def _assess(
    world: World,
    fleet: Fleet,
    name: PopName,
    polled: Mapping[Subject, Votes],
    hosts: Sequence[HostView],
    now: float,
) -> Assessment:
    quorum, kinds = fleet.timing.quorum, spoken(fleet, name)
    ballot = {kind: polled[name, kind] for kind in Family if (name, kind) in polled}
    silent = tuple(kind for kind, each in ballot.items() if each.silent(quorum))
    seen = any(each.there for kind, each in ballot.items() if kind not in silent)
    if silent and _restarting(world, fleet, name, now):
        silent = ()
    if silent and not seen:
        because = _unseen(whole(ballot.values()))
        return Assessment(Condition.SILENT, because, silent=kinds)
    if not seen and not _spoke_lately(world, fleet, name, now):
        return Assessment(Condition.UNKNOWN, "neither seen nor heard lately")
    if hosts and all(each.deaf or each.state is HostState.LOST for each in hosts):
        # Routes it cannot be told to withdraw are as stale as a dead PoP's.
        return Assessment(Condition.SILENT, "; ".join(each.why for each in hosts), silent=kinds)
    told = _told(fleet, name, hosts)
    if not silent:
        return told
    because = "; ".join(f"{kind} {_unseen(ballot[kind])}" for kind in silent)
    return msgspec.structs.replace(told, silent=silent, because=f"{because}; {told.because}")


def _unseen(ballot: Votes) -> str:
    because = f"not seen by {', '.join(sorted(ballot.gone))}"
    if ballot.there:
        because += f"; seen by {', '.join(sorted(ballot.there))}"
    return because


def _hosts(world: World, fleet: Fleet, now: float) -> dict[PopName, list[HostView]]:
    gone, said = hosts_gone(world, fleet, now), words(world, now)
    return {
        name: [
            view_host(world, fleet, name, host, gone=gone, said=said.get(host, ()))
            for host in fleet.bgp_hosts(name)
        ]
        for name in fleet.pops
    }


def _spoke_lately(world: World, fleet: Fleet, pop: PopName, now: float) -> bool:
    heard = [world.hosts[host] for host in fleet.pops[pop].hosts if host in world.hosts]
    return any(now - max(each.sighted_at, each.reported_at) <= STALE_AFTER for each in heard)


def _restarting(world: World, fleet: Fleet, pop: PopName, now: float) -> bool:
    """Whether its agents said good-bye a moment ago: routes stay, only the voice is gone."""
    beliefs = [world.hosts.get(host) for host in fleet.bgp_hosts(pop)]
    return all(
        each is not None
        and each.presence is not None
        and each.presence.leaving
        and now - each.presence_at < RESTART_GRACE
        for each in beliefs
    )


def _told(fleet: Fleet, pop: PopName, hosts: Sequence[HostView]) -> Assessment:
    least, kinds = fleet.pops[pop].min_hosts, spoken(fleet, pop)
    passing = [each for each in hosts if each.state is HostState.PASSING]
    doubted = sum(not each.doubted for each in passing) < least
    failing = [each for each in hosts if each.state in {HostState.UNFIT, HostState.LOST}]
    if len(passing) >= least:
        bare = tuple(k for k in kinds if sum(k not in each.bare for each in passing) < least)
        if kinds and bare == kinds:
            text = "fit, but its own prefixes are on no wire"
            return Assessment(Condition.WITHDRAWN, text, bare=bare, doubted=doubted)
        text = f"{sum(not each.bare for each in passing)} of its hosts fit and advertised"
        if bare:
            text = f"fit, but its own prefixes of {', '.join(bare)} are on no wire"
        return Assessment(Condition.SERVING, text, bare=bare, doubted=doubted)
    if failing:
        because = "; ".join(each.why for each in failing)
        if passing:
            because += f"; {len(passing)} of at least {least} hosts fit"
        resists = all(each.resists for each in failing)
        return Assessment(Condition.UNFIT, because, resists=resists)
    return Assessment(Condition.UNKNOWN, "no report yet")
