"""Everything an agent knows, as one immutable value, and how an observation changes it.

Two rules keep an agent that restarts, or whose neighbors in this process restart, from doing harm:
what was never seen is ``None`` (not "empty"), and what ExaBGP held when it was last attached stays
known while it is away. Instants are of the caller's clock, whichever it is, as long as it is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agents.advertising.accept import Accepted, Distrusted, Held, Verdict, accept
from agents.advertising.allowance import Allowance, permitted
from agents.advertising.away import ordered
from agents.advertising.braking import Braking, aged, pull
from agents.advertising.deeds import deeds
from agents.advertising.fitness import Judged, ServiceTable, Standing, standing
from agents.advertising.handover import Words, take, words
from agents.advertising.hearing import Hearing, hearing
from agents.advertising.keeping import Keeping, Moment, keep, pardoned
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
    StoodStill,
    Tick,
    Watched,
)
from agents.advertising.orderless import stand_in
from agents.advertising.scene import Scene, Way
from agents.advertising.serving import Serving, learned, serve
from agents.advertising.silence import confirm_after
from agents.advertising.uplinks import choose, uplink_states, worked_now
from agents.advertising.weather import Weather, followed, next_look, noticed
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Brake, Deed, Order, UplinkState
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
        found: without an order, what stands in for it (:mod:`orderless`).
        distrusted: stamp of an order that is refused because of what happened after it.
        verdict: what became of the order that arrived last.
        bgp: ExaBGP, as last told; none before it was attached for the first time.
        rib: its adj-rib-out when it was last attached; none before that.
        kernel: addresses, carrier and default route; none before the first look.
        missing: ordered address -> since when it is ordered but not there.
        leaving: address no longer ordered -> when a route that leads to it was last known.
        serving: the services here, and what bears on whether they count as fit.
        keeping: what was given up because it is unfit, what is kept, whose role was taken.
        braking: the brake an operator pulled, if one did.
        watched: paths; none before the watcher spoke.
        watched_first: when the watcher spoke first.
        watched_at: when it spoke last.
        heard: the words of other hosts that count.
        worked: (uplink, family) that have worked at least once.
        uplinks: carrier and probes per uplink, with the instant of the last change.
        default_uplink: the uplink each family shall leave by.
        connected: whether the broker is there.
        weather: silences, flaps and losses over time, and whether the controller is away.
        deeds: what is advertised beyond the order, and why.
    """

    held: Held | None = None
    found: Order | None = None
    distrusted: Stamp | None = None
    verdict: Verdict | None = None
    bgp: BgpSeen | None = None
    rib: frozenset[Advertisement] | None = None
    kernel: KernelSeen | None = None
    missing: Mapping[str, float] = {}
    leaving: Mapping[str, float] = {}
    serving: Serving = Serving()
    keeping: Keeping = Keeping()
    braking: Braking | None = None
    watched: Watched | None = None
    watched_first: float | None = None
    watched_at: float = 0.0
    heard: Hearing = Hearing()
    worked: frozenset[tuple[str, Family]] = frozenset()
    uplinks: tuple[UplinkState, ...] = ()
    default_uplink: Mapping[Family, str] = {}
    connected: bool = False
    weather: Weather = Weather()
    deeds: tuple[Deed, ...] = ()

    @property
    def wire(self) -> frozenset[Advertisement]:
        """What the neighbors have been sent."""
        return self.bgp.wire if self.bgp else frozenset()

    @property
    def services(self) -> Mapping[str, Judged]:
        """The verdicts that count; a service that is not here is not judged yet."""
        return self.serving.services

    @property
    def bound(self) -> Order | None:
        """The most this host advertises by itself: its order, or what stands in for one."""
        return self.held.order if self.held else self.found

    @property
    def asked(self) -> frozenset[str]:
        """The prefixes this host shall advertise while all is well, whoever said so."""
        held = self.braking.frozen if self.braking and self.braking.holds else None
        found = frozenset(each.prefix for each in held or ())
        if self.bound is None:
            return found
        done = frozenset(prefix for deed in self.deeds for prefix in deed.prefixes)
        return (found | done).union(each.prefix for each in self.bound.advertisements)

    def roles(self, facts: Facts) -> frozenset[str]:
        """The prefixes whose keeper this host is, or without an order may be."""
        keepers = self.bound.keepers if self.bound else {}
        named = {prefix for prefix, keeper in keepers.items() if keeper == facts.pop.name}
        return self.keeping.taken | named

    def words(self, facts: Facts) -> Words:
        """What this host says of itself to those who probe it."""
        leaving = self.braking is not None and self.braking.leaves
        there = {each.prefix for each in self.wire} | set(self.keeping.waiting)
        there -= self.keeping.down
        fit, behind, roles = self.serving.undoubted, facts.table.behind, self.roles(facts)
        unjudged = {
            prefix
            for prefix in roles.difference(self.keeping.waiting)
            if standing(behind(prefix), self.services) is Standing.UNKNOWN
        }
        said = words(fit, roles, there, behind, leaving=leaving, unjudged=unjudged)
        if self.held is not None:
            return said
        return msgspec.structs.replace(said, keeps=said.keeps & self.keeping.taken)


def begun(
    state: HostState,
    brake: Brake | None,
    frozen: frozenset[Advertisement] | None,
    facts: Facts,
    now: float,
) -> HostState:
    """The state of an agent that starts under ``brake``, of which ``frozen`` is known."""
    after = fold(state, BrakePulled(brake), facts, now)
    if after.braking is None or not after.braking.holds:
        return after
    replace = msgspec.structs.replace
    return replace(after, braking=replace(after.braking, frozen=frozen))


def fold(state: HostState, observation: Observation, facts: Facts, now: float) -> HostState:
    """The state after ``observation``; total: nothing that arrives is an error."""
    replace = msgspec.structs.replace
    state = replace(state, weather=noticed(state.weather, observation, now))
    match observation:
        case OrderArrived():
            state = _with_order(state, observation, facts, now)
        case BgpSeen():
            state = _with_rib(state, observation, facts)
        case KernelSeen():
            state = replace(state, kernel=observation)
        case ServiceChecked() | LoadSeen() | StoodStill():
            state = replace(state, serving=learned(state.serving, observation, now))
        case Watched():
            worked = state.worked | worked_now(observation)
            first = now if state.watched_first is None else state.watched_first
            state = replace(state, watched=observation, worked=worked, watched_first=first)
            state = replace(state, watched_at=now)
        case BrakePulled(brake):
            state = replace(state, braking=pull(state.braking, brake, state.rib, now))
        case BusChanged(connected):
            state = replace(state, connected=connected)
        case ControllerSeen() | BfdSeen():
            pass  # see weather
        case OrderUnreadable() | Tick():
            pass
    return _aged(state, facts, now)


def _with_rib(state: HostState, seen: BgpSeen, facts: Facts) -> HostState:
    """What ExaBGP holds; known while it is away, but not to one who slept when it went.

    The dead man's switch may have withdrawn some of it: hands off until it is seen again.
    """
    known = None if state.serving.waking else state.rib
    rib = seen.rib if seen.attached else known
    state = msgspec.structs.replace(state, bgp=seen, rib=rib)
    if state.bound is not None or rib is None:
        return state
    return msgspec.structs.replace(state, found=stand_in(rib, facts.pop))


def _with_order(state: HostState, arrived: OrderArrived, facts: Facts, now: float) -> HostState:
    verdict: Verdict
    if arrived.stamp == state.distrusted:
        verdict = Distrusted(arrived.stamp)
    else:
        verdict = accept(arrived.order, arrived.stamp, state.held, facts.allow, facts.pop)
    state = msgspec.structs.replace(state, verdict=verdict)
    if not isinstance(verdict, Accepted) or verdict.repeated:
        return state
    # The new order names the keepers anew; what was taken over meanwhile is its business now.
    keeping = msgspec.structs.replace(state.keeping, taken=frozenset())
    contact = ordered(state.weather.contact, now)
    weather = msgspec.structs.replace(state.weather, contact=contact)
    replace = msgspec.structs.replace
    return replace(state, held=verdict.held, found=None, keeping=keeping, weather=weather)


def _aged(state: HostState, facts: Facts, now: float) -> HostState:
    """What follows from the rest and from time: the same at every wake-up."""
    state = _weathered(_served(state, facts, now), facts, now)
    state = _kept(state, facts, now)
    held_down = state.weather.held_down(now)
    return msgspec.structs.replace(
        state,
        missing=_missing(state, now),
        leaving=_leaving(state, facts, now),
        uplinks=uplink_states(
            facts.pop, state.kernel, state.watched, state.uplinks, now, held_down
        ),
        default_uplink=choose(facts.pop, state, now),
    )


def _served(state: HostState, facts: Facts, now: float) -> HostState:
    """With the words that count, and the services that count as fit."""
    settle = facts.fleet.timing.settle_down
    alone = pardoned(state.keeping.alone, now)
    return msgspec.structs.replace(
        state,
        heard=hearing(state.watched, state.watched_at, facts.host, now),
        serving=serve(state.serving, settle, alone, now, now + facts.unix),
    )


def _weathered(state: HostState, facts: Facts, now: float) -> HostState:
    """With silences and losses as they are now, and what is done about them without an order."""

    def servable(prefix: str) -> bool:
        behind = facts.table.behind(prefix)
        return permitted(facts.allow, prefix) and standing(behind, state.services) is Standing.FIT

    scene = Scene(
        fleet=facts.fleet,
        pop=facts.pop,
        host=facts.host,
        order=state.held.order if state.held else None,
        rib=state.rib or frozenset(),
        kernel=state.kernel,
        watched=state.watched,
        attentive=state.weather.vigil.attentive(now),
        heard=state.heard,
        bfd=state.weather.bfd,
        worked=state.worked,
        servable=servable,
        now=now,
    )
    weather = followed(state.weather, scene)
    return msgspec.structs.replace(
        state, weather=weather, deeds=deeds(state.deeds, weather, scene)
    )


def usable(state: HostState, now: float) -> frozenset[Way]:
    """The uplinks known to work, by family; none while the watch proves nothing."""
    if state.watched is None or not state.weather.vigil.attentive(now):
        return frozenset()
    return worked_now(state.watched) - state.weather.silent


def next_weather(state: HostState, facts: Facts, now: float) -> float:
    """The next instant at which a silence or an absence begins to count, or infinity."""
    timing = facts.fleet.timing
    lease = state.held.order.lease if state.held else timing.lease
    return next_look(state.weather, lease, confirm_after(timing), now)


def _kept(state: HostState, facts: Facts, now: float) -> HostState:
    """With what is given up, kept and taken over, and what a brake makes of it."""
    roles, behind = state.roles(facts), facts.table.behind
    moment = Moment(
        pop=facts.pop.name,
        roles=roles,
        asked=state.asked,
        standing=frozenset(each.prefix for each in state.rib or ()),
        behind=behind,
        services=state.services,
        held_down=state.serving.held_down,
        heard=state.heard,
        limit=facts.fleet.limits.pops_lost_at_once,
        checks=facts.fleet.services,
        interval=facts.fleet.timing.watch_interval,
        now=now,
    )
    state = msgspec.structs.replace(
        state,
        keeping=keep(state.keeping, moment),
        braking=aged(state.braking, state.rib, roles, state.heard, _ordered(state), now),
    )
    word = state.words(facts)
    taken = take(word.fit, state.heard.offers, {each.prefix for each in state.wire}, behind)
    if taken <= state.keeping.taken:
        return state
    keeping = msgspec.structs.replace(state.keeping, taken=state.keeping.taken | taken)
    return msgspec.structs.replace(state, keeping=keeping)


def _ordered(state: HostState) -> frozenset[Advertisement]:
    return frozenset(state.held.order.advertisements) if state.held else frozenset()


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
