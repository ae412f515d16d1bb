"""The agent's loop: mailbox, fold, decide, act, tell; the only place where those meet.

One observation makes one turn. A turn's acts have an order that matters: first BGP (a withdrawal
must not wait for a broker), then the kernel, then the disk, and only then the broker. Reports
follow when the mailbox is empty, so that a burst makes one report, and at the latest after
``MOST_TURNS`` turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
import structlog

from agents.advertising.accept import Accepted, Held
from agents.advertising.certainty import next_look
from agents.advertising.desire import Desired, desired
from agents.advertising.guard import Guard, guard
from agents.advertising.handover import Words
from agents.advertising.hold_down import Falls
from agents.advertising.observations import (
    KernelSeen,
    Observation,
    OrderArrived,
    OrderUnreadable,
    StoodStill,
    Tick,
    Watched,
)
from agents.advertising.scene import Way
from agents.advertising.state import Facts, HostState, fold, next_weather
from agents.advertising.telling import accepted, deeds, receipt, refused, report, sightings
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Deed, Outcome, Receipt, Report, Sightings
from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement

TICK = 1.0
# Timers are no finer; without it what is due in a nanosecond would be looked at in vain.
TIMER = 0.001
REPORT_EVERY = 5.0
ASKING = 1.0
SIGHTINGS_EVERY = 1.0
# The watch speaks four times a second; so long without a word it sees nothing any more.
BLIND_AFTER = 2.0
HEARTBEAT_EVERY = 0.9
MOST_TURNS = 32
# A turn comes at least every tick; after a longer gap it was us who stood still.
STOOD_STILL = 2.0

log = structlog.get_logger()


class BgpPort(Protocol):
    """Keeps ExaBGP at the wanted set; ``None`` is hands off.

    ``guard`` is this loop's heartbeat: while it stands still there is none.
    """

    def want(self, advertisements: frozenset[Advertisement] | None) -> None: ...
    def guard(self, guard: Guard) -> None: ...


class KernelPort(Protocol):
    """Keeps addresses and the default route; ``None`` leaves the addresses as they are."""

    def want(self, addresses: frozenset[str] | None, uplinks: Mapping[Family, str]) -> None: ...


class WatchPort(Protocol):
    """Probes other PoPs, and says in its replies what is fit here, offered and kept."""

    def observe(self, prefixes: frozenset[str]) -> None: ...
    def declare(
        self,
        fit: frozenset[str],
        offers: frozenset[str] = frozenset(),
        keeps: frozenset[str] = frozenset(),
    ) -> None: ...


class ChecksPort(Protocol):
    """Checks this host's services; tells every verdict anew when asked to."""

    def tell_again(self) -> None: ...


class BusPort(Protocol):
    """Carries messages to the controller; never blocks, never fails."""

    def publish_report(self, report: Report) -> None: ...
    def publish_sightings(self, sightings: Sightings) -> None: ...
    def publish_receipt(self, stamp: Stamp, receipt: Receipt) -> None: ...
    def reconnect(self, families: frozenset[Family]) -> None: ...


class OrderPort(Protocol):
    """Keeps the accepted order, and what was done without one, across restarts."""

    def keep(self, held: Held) -> None: ...
    def keep_deeds(self, done: tuple[Deed, ...]) -> None: ...


class FallsPort(Protocol):
    """Keeps the record of services' failures across restarts."""

    def keep(self, falls: Mapping[str, Falls]) -> None: ...


class ProvenPort(Protocol):
    """Keeps which own uplinks have ever worked across restarts."""

    def keep(self, proven: frozenset[Way]) -> None: ...


class LifePort(Protocol):
    """Is shown that this loop still turns, by the loop itself; see :mod:`ambicast.notify`."""

    def turned(self, now: float, status: str) -> None: ...


class Ports(msgspec.Struct, frozen=True):
    """Where wants and words go; a host without role bgp has only the bus."""

    bus: BusPort
    orders: OrderPort
    bgp: BgpPort | None = None
    kernel: KernelPort | None = None
    watch: WatchPort | None = None
    checks: ChecksPort | None = None
    falls: FallsPort | None = None
    proven: ProvenPort | None = None
    life: LifePort | None = None


class Turn(msgspec.Struct, frozen=True):
    """What one observation leads to.

    ``keep`` is to be stored after BGP was told and before ``answer`` is sent.
    """

    state: HostState
    desired: Desired
    keep: Held | None = None
    answer: tuple[Stamp, Receipt] | None = None


def turn(state: HostState, observation: Observation, facts: Facts, now: float) -> Turn:
    """One iteration, without effect."""
    after = fold(state, observation, facts, now)
    wanted = desired(after, facts, now)
    match observation:
        case OrderArrived() if after.verdict is not None:
            verdict = after.verdict
            fresh = isinstance(verdict, Accepted) and not verdict.repeated
            return Turn(after, wanted, after.held if fresh else None, receipt(verdict, after))
        case OrderUnreadable(why):
            return Turn(after, wanted, answer=(Stamp(), refused((why,), after)))
        case _:
            return Turn(after, wanted)


class Agent:
    """Holds the state between turns and knows what was told last."""

    def __init__(
        self, facts: Facts, ports: Ports, clock: Callable[[], float], state: HostState
    ) -> None:
        self._facts, self._ports, self._clock = facts, ports, clock
        self._mailbox: asyncio.Queue[Observation] = asyncio.Queue()
        self._state = state
        self._desired = Desired(None, None, {})
        self._told_report: Report | None = None
        self._told_sightings: Sightings | None = None
        self._told_wire: frozenset[Advertisement] | None = None
        self._told_watch: tuple[frozenset[str], Words] | None = None
        self._reported_at = self._sighted_at = self._guarded_at = float("-inf")
        self._watched_at = float("-inf")
        self._stepped_at = float("inf")

    @property
    def state(self) -> HostState:
        """The state after the last turn."""
        return self._state

    @property
    def desired(self) -> Desired:
        """What followed from it."""
        return self._desired

    def tell(self, observation: Observation) -> None:
        """Into the mailbox; never blocks."""
        self._mailbox.put_nowait(observation)

    def reconfigure(self, facts: Facts) -> None:
        """Go on with other facts (a reload); looks at the whole world at once."""
        self._facts = facts
        self.tell(Tick())

    async def run(self) -> None:
        """Turns, for ever. ExaBGP is given a moment to say what it holds before it is reported."""
        self._reported_at = self._clock() - REPORT_EVERY + ASKING
        self.step(Tick())
        while True:
            self.step(await self._next())
            for _ in range(MOST_TURNS):
                if self._mailbox.empty():
                    break
                self.step(self._mailbox.get_nowait())
            self.publish()

    async def _next(self) -> Observation:
        try:
            async with asyncio.timeout(self._patience()):
                return await self._mailbox.get()
        except TimeoutError:
            # After a standstill both are due; what arrived may be the watch saying so.
            return Tick() if self._mailbox.empty() else self._mailbox.get_nowait()

    def _patience(self) -> float:
        """Seconds until time alone may change something, at most a tick."""
        now = self._clock()
        state, fleet = self._state, self._facts.fleet
        interval = fleet.timing.watch_interval
        at = next_look(state.services, fleet.services, state.heard, interval, now)
        weather = next_weather(self._state, self._facts, now) - now
        report = self._reported_at + REPORT_EVERY - now
        return min(TICK, weather + TIMER, report + TIMER, TICK if at is None else at - now + TIMER)

    def step(self, observation: Observation) -> None:
        """One turn and its acts; an observation that cannot be digested is dropped, loudly.

        A standstill before it comes first: nothing may follow from what was known before that.
        """
        self._notice_gap()
        try:
            result = turn(self._state, observation, self._facts, self._clock())
        except Exception:
            log.exception("observation dropped", kind=type(observation).__name__)
            if isinstance(observation, OrderArrived):
                why = "this agent cannot digest it; see its log"
                receipt = refused((why,), self._state)
                self._ports.bus.publish_receipt(observation.stamp, receipt)
            return
        before, self._state = self._state, result.state
        if isinstance(observation, Watched):
            self._watched_at = self._clock()
        self._act(result, level=isinstance(observation, Tick))
        if result.keep is not None:
            self._ports.orders.keep(result.keep)
        if before.deeds != self._state.deeds:
            self._ports.orders.keep_deeds(deeds(self._state, self._facts))
        if self._ports.falls and result.state.serving.falls != before.serving.falls:
            self._ports.falls.keep(result.state.serving.falls)
        if self._ports.proven and result.state.weather.proven != before.weather.proven:
            self._ports.proven.keep(result.state.weather.proven)
        self._beat(result)
        self._answer(result)
        if isinstance(observation, KernelSeen):
            self._follow_default_route(before, observation)
        _log_changes(before, self._state)

    def _notice_gap(self) -> None:
        """After a standstill no verdict counts, and the checks are asked to speak.

        It may be this loop's alone, a part that failed and waited: they know nothing of that.
        """
        gap, self._stepped_at = self._clock() - self._stepped_at, self._clock()
        if gap <= STOOD_STILL:
            return
        log.warning("stood still; services are judged anew", seconds=round(gap, 1))
        self.step(StoodStill())
        if self._ports.checks is not None:
            self._ports.checks.tell_again()

    def _act(self, result: Turn, *, level: bool) -> None:
        """Hand over the wanted sets: what changed, and at every tick everything."""
        wanted, before = result.desired, self._desired
        self._desired = wanted
        ports = self._ports
        if ports.bgp and (level or wanted.advertisements != before.advertisements):
            ports.bgp.want(wanted.advertisements)
        addresses = wanted.addresses, wanted.default_uplink
        if ports.kernel and (level or addresses != (before.addresses, before.default_uplink)):
            ports.kernel.want(*addresses)
        told = _words_to_watchers(self._state, self._facts)
        if ports.watch and (level or told != self._told_watch):
            ports.watch.observe(told[0])
            ports.watch.declare(told[1].fit, told[1].offers, told[1].keeps)
        self._told_watch = told
        if wanted.withheld != before.withheld:
            log.info("advertisements withheld", prefixes=dict(wanted.withheld) or "none")

    def _beat(self, result: Turn) -> None:
        """A heartbeat, and what the dead man's switch may do without us from now on."""
        now = self._clock()
        if self._ports.bgp and now - self._guarded_at >= HEARTBEAT_EVERY:
            self._guarded_at = now
            self._ports.bgp.guard(guard(result.state, self._facts, result.desired))

    def _answer(self, result: Turn) -> None:
        """A receipt for every order, and for the held one again whenever the wire changed."""
        wire, bus = self._state.wire, self._ports.bus
        if result.answer is not None:
            stamp, body = result.answer
            bus.publish_receipt(stamp, body)
            if body.outcome is Outcome.ACCEPTED:
                self._told_wire = wire
            log.info(
                "order answered",
                outcome=body.outcome,
                epoch=stamp.epoch,
                generation=stamp.generation,
                refusals=body.refusals,
            )
        held = self._state.held
        if held is not None and wire != self._told_wire:
            bus.publish_receipt(held.stamp, accepted(self._state))
            self._told_wire = wire

    def _follow_default_route(self, before: HostState, seen: KernelSeen) -> None:
        """A connection to the broker stays on the uplink it began on; that one may be silent."""
        used = before.kernel.default_uplink if before.kernel else seen.default_uplink
        changed = {kind for kind in Family if used.get(kind) != seen.default_uplink.get(kind)}
        if changed:
            log.warning("default uplink changed", uplinks=dict(seen.default_uplink))
            self._ports.bus.reconnect(frozenset(changed))

    def publish(self) -> None:
        """Report and sightings, if they changed or are due; and that this loop turns."""
        now = self._clock()
        if self._ports.life is not None:
            self._ports.life.turned(now, in_a_line(self._state))
        told = report(self._state, self._facts)
        # Before ExaBGP was heard an empty wire would only mean that nobody has looked.
        known = self._ports.bgp is None or self._state.bgp is not None
        if (known and told != self._told_report) or now - self._reported_at >= REPORT_EVERY:
            self._told_report, self._reported_at = told, now
            self._ports.bus.publish_report(told)
        seen = sightings(self._state, self._facts)
        if now - self._watched_at > BLIND_AFTER:
            return  # the watch is down: what it saw last says nothing about now
        due = now - self._sighted_at >= SIGHTINGS_EVERY
        if seen is not None and (due or seen != self._told_sightings):
            self._told_sightings, self._sighted_at = seen, now
            self._ports.bus.publish_sightings(seen)


def _words_to_watchers(state: HostState, facts: Facts) -> tuple[frozenset[str], Words]:
    """The prefixes to observe, and what to say of ourselves."""
    observed = frozenset(state.held.order.observe if state.held else ())
    return observed, state.words(facts)


def in_a_line(state: HostState) -> str:
    """The host in one line, for ``systemctl status``."""
    stamp = state.held.stamp if state.held else None
    parts = [f"order {stamp.epoch}.{stamp.generation}" if stamp else "no order yet"]
    parts.append(f"{len({each.prefix for each in state.wire})} prefixes advertised")
    unfit = sorted(name for name, each in state.services.items() if not each.fit)
    parts += [f"unfit: {', '.join(unfit)}"] if unfit else []
    parts.append("broker reached" if state.connected else "broker lost: nothing changes")
    return "; ".join(parts)


def _log_changes(before: HostState, after: HostState) -> None:
    for name, judged in after.services.items():
        known = before.services.get(name)
        if known is None or known.fit != judged.fit:
            log.info("service judged", service=name, fit=judged.fit, detail=judged.detail)
    known_uplinks = {each.uplink: each.since for each in before.uplinks}
    for each in after.uplinks:
        if known_uplinks.get(each.uplink) != each.since:
            seen = {"carrier": each.carrier, "working": dict(each.working)}
            log.info("uplink seen", uplink=each.uplink, held_down=each.held_down, **seen)
    if before.deeds != after.deeds:
        done = {f"{each.kind} {each.about}": each.prefixes for each in after.deeds}
        log.warning("advertised without an order", deeds=done or "nothing more")
    _log_keeping(before, after)
    if before.connected != after.connected:
        log.info("broker reached" if after.connected else "broker lost")


def _log_keeping(before: HostState, after: HostState) -> None:
    if after.keeping.open - before.keeping.open:
        log.warning("unfit but kept", prefixes=sorted(after.keeping.open))
    if after.keeping.distrusted and not before.keeping.distrusted:
        log.warning("losses not believed", prefixes=sorted(after.keeping.distrusted))
    if after.keeping.taken != before.keeping.taken:
        log.info("keeper's roles taken", prefixes=sorted(after.keeping.taken))
    if after.serving.held_down != before.serving.held_down:
        log.info("services held down", seconds=dict(after.serving.held_down) or "none")
    if after.serving.overload.excused != before.serving.overload.excused:
        log.warning("failing under load", services=sorted(after.serving.overload.excused))
