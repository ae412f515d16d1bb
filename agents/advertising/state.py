"""Everything an agent knows, as one immutable value, and how an observation changes it.

Two rules keep an agent that restarts, or whose neighbors in this process restart, from doing harm:
what was never seen is ``None`` (not "empty"), and what ExaBGP held when it was last attached stays
known while it is away. Instants are of the caller's clock, whichever it is, as long as it is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agents.advertising.accept import Accepted, Distrusted, Held, Verdict, accept
from agents.advertising.allowance import Allowance
from agents.advertising.fitness import Judged, ServiceTable
from agents.advertising.observations import (
    BfdSeen,
    BgpSeen,
    BrakePulled,
    BusChanged,
    ControllerSeen,
    KernelSeen,
    LoadSeen,
    Observation,
    OrderArrived,
    OrderUnreadable,
    ServiceChecked,
    Tick,
    Watched,
)
from agents.advertising.uplinks import choose, uplink_states, worked_now
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import UplinkState
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import contains
from ambicast.model.routes import Advertisement


class Facts(msgspec.Struct, frozen=True):
    """What does not change while the agent runs.

    ``unix`` added to an instant of the loop's clock is seconds since the Unix epoch, for people.
    """

    fleet: Fleet
    pop: Pop
    host: HostName
    allow: tuple[Allowance, ...]
    table: ServiceTable
    instance: str = ""
    unix: float = 0.0


class HostState(msgspec.Struct, frozen=True):
    """The world as this host knows it.

    Attributes:
        held: the last accepted order, or none yet.
        distrusted: stamp of an order that is refused because of what happened after it.
        verdict: what became of the order that arrived last.
        bgp: ExaBGP, as last told; none before it was attached for the first time.
        rib: its adj-rib-out when it was last attached; none before that.
        kernel: addresses, carrier and default route; none before the first look.
        missing: ordered address -> since when it is ordered but not there.
        leaving: address no longer ordered -> when a route that leads to it was last known.
        services: verdicts so far; a service that is not here is not judged yet.
        watched: paths; none before the watcher spoke.
        watched_first: when the watcher spoke first.
        worked: (uplink, family) that have worked at least once.
        uplinks: carrier and probes per uplink, with the instant of the last change.
        default_uplink: the uplink each family shall leave by.
        connected: whether the broker is there.
    """

    held: Held | None = None
    distrusted: Stamp | None = None
    verdict: Verdict | None = None
    bgp: BgpSeen | None = None
    rib: frozenset[Advertisement] | None = None
    kernel: KernelSeen | None = None
    missing: Mapping[str, float] = {}
    leaving: Mapping[str, float] = {}
    services: Mapping[str, Judged] = {}
    watched: Watched | None = None
    watched_first: float | None = None
    worked: frozenset[tuple[str, Family]] = frozenset()
    uplinks: tuple[UplinkState, ...] = ()
    default_uplink: Mapping[Family, str] = {}
    connected: bool = False

    @property
    def wire(self) -> frozenset[Advertisement]:
        """What the neighbors have been sent."""
        return self.bgp.wire if self.bgp else frozenset()


def fold(state: HostState, observation: Observation, facts: Facts, now: float) -> HostState:
    """The state after ``observation``; total: nothing that arrives is an error."""
    replace = msgspec.structs.replace
    match observation:
        case OrderArrived():
            state = _with_order(state, observation, facts)
        case BgpSeen():
            rib = observation.rib if observation.attached else state.rib
            state = replace(state, bgp=observation, rib=rib)
        case KernelSeen():
            state = replace(state, kernel=observation)
        case ServiceChecked():
            state = replace(state, services=_judged(state, observation, now))
        case Watched():
            worked = state.worked | worked_now(observation)
            first = now if state.watched_first is None else state.watched_first
            state = replace(state, watched=observation, worked=worked, watched_first=first)
        case BusChanged(connected):
            state = replace(state, connected=connected)
        case ControllerSeen() | BfdSeen() | LoadSeen() | BrakePulled():
            pass  # nothing follows from these yet
        case OrderUnreadable() | Tick():
            pass
    return _aged(state, facts, now)


def _with_order(state: HostState, arrived: OrderArrived, facts: Facts) -> HostState:
    verdict: Verdict
    if arrived.stamp == state.distrusted:
        verdict = Distrusted(arrived.stamp)
    else:
        verdict = accept(arrived.order, arrived.stamp, state.held, facts.allow, facts.pop)
    held = verdict.held if isinstance(verdict, Accepted) else state.held
    return msgspec.structs.replace(state, held=held, verdict=verdict)


def _judged(state: HostState, seen: ServiceChecked, now: float) -> dict[str, Judged]:
    before = state.services.get(seen.service)
    same = before is not None and before.fit == seen.fit
    since = before.since if before is not None and same else now
    return {**state.services, seen.service: Judged(seen.fit, seen.detail, since)}


def _aged(state: HostState, facts: Facts, now: float) -> HostState:
    """What follows from the rest and from time: the same at every wake-up."""
    return msgspec.structs.replace(
        state,
        missing=_missing(state, now),
        leaving=_leaving(state, facts, now),
        uplinks=uplink_states(facts.pop, state.kernel, state.watched, state.uplinks, now),
        default_uplink=choose(facts.pop, state, now),
    )


def _missing(state: HostState, now: float) -> dict[str, float]:
    if state.held is None or state.kernel is None:
        return {}
    there = state.kernel.terminated
    wanted = state.held.order.terminate
    return {each: state.missing.get(each, now) for each in wanted if each not in there}


def _leaving(state: HostState, facts: Facts, now: float) -> dict[str, float]:
    """Service addresses nobody ordered, while a route may still lead to them."""
    if state.held is None or state.kernel is None:
        return {}
    surplus = state.kernel.terminated - set(state.held.order.terminate)
    ours = surplus & (facts.table.addresses | set(state.leaving))
    known = {each.prefix for each in (state.rib or frozenset()) | state.wire}
    fresh = {each for each in ours if _leads_to(known, each) or each not in state.leaving}
    since = {each: now if each in fresh else state.leaving[each] for each in ours}
    hold = facts.fleet.timing.hold_addresses
    return {each: at for each, at in since.items() if now - at <= hold}


def _leads_to(prefixes: Iterable[str], address: str) -> bool:
    return any(contains(prefix, address) for prefix in prefixes)
