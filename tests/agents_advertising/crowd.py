"""A fleet of agents in virtual time: real decisions, real check hysteresis, words that travel.

Every PoP has one host with one service. ``passes`` is the truth; checks find it out one by one,
each PoP at its own phase. A word reaches the others ``WORD_DELAY`` after it changed; or, where a
crowd has round trips, as late as it may: after the next probe and a whole round trip. ExaBGP and
the kernel obey within one step.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable

import msgspec

from agents.advertising.certainty import next_look
from agents.advertising.desire import desired
from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import (
    BgpSeen,
    KernelSeen,
    OrderArrived,
    ServiceChecked,
    Tick,
    Told,
    Watched,
)
from agents.advertising.state import Facts, HostState, fold
from agents.probes.hysteresis import Failed, Passed, Standing, due, verdict
from agents.probes.hysteresis import fold as fold_check
from ambicast.contract.messages import Order, Sighting
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family
from ambicast.model.services import Anycast, Check, CheckKind, Service
from tests.agents_advertising.hosts import (
    ALLOW,
    ANYCAST,
    COVER,
    FLEET,
    WWW_EVERYWHERE,
    adverts,
    stamp,
)
from tests.agents_advertising.hosts import pop as pop_of

STEP = 0.02
WORD_DELAY = 0.06
PROBED = 0.1
EPSILON = 1e-6
WATCH = 0.25
Rtt = Callable[[str, str], float]
DENSE = Check(CheckKind.HTTP, 80, interval=0.1, fast_interval=0.1)
LAZY = Check(CheckKind.HTTP, 80, interval=0.3, fast_interval=0.1)


def fleet_of(names: list[str], check: Check) -> Fleet:
    anycast = Anycast({Family.V4: WWW_EVERYWHERE}, (ANYCAST,))
    service = Service("www", ("www.cdn.example",), anycast, 10, (check,))
    pops = {name: pop_of(name, own(number)) for number, name in enumerate(names)}
    return msgspec.structs.replace(FLEET, pops=pops, services={"www": service}, covering=(COVER,))


def own(number: int) -> str:
    return f"198.18.{4 * number}.0/22"


class Member:
    """One host of the crowd."""

    def __init__(self, fleet: Fleet, name: str, now: float, phase: float) -> None:
        self.name, self.now = name, now
        pop = fleet.pops[name]
        self.facts = Facts(fleet, pop, f"{name}-1", ALLOW, ServiceTable(fleet), "run", unix=1e9)
        self.check = fleet.services["www"].checks[0]
        self.state = HostState()
        self.want = desired(self.state, self.facts, now)
        self.passes, self.alive = True, True
        self._standing, self._told, self._due = Standing(), None, now + phase
        self._watched = self._ticked = float("-inf")
        self._version = -1

    @property
    def prefixes(self) -> set[str]:
        return {each.prefix for each in self.want.advertisements or ()} if self.alive else set()

    def tell(self, observation: object) -> None:
        self.state = fold(self.state, observation, self.facts, self.now)
        self.want = desired(self.state, self.facts, self.now)

    def obey(self) -> None:
        want = self.want
        if want.advertisements is not None and want.advertisements != self.state.rib:
            self.tell(BgpSeen(attached=True, rib=want.advertisements, wire=want.advertisements))
        kernel = self.state.kernel
        if want.addresses is not None and (not kernel or kernel.terminated != want.addresses):
            up = {"north": True, "south": True}
            self.tell(KernelSeen(want.addresses, up, self.state.default_uplink))

    def run_checks(self) -> None:
        while self._due <= self.now:
            outcome = Passed() if self.passes else Failed("http 503")
            self._standing = fold_check(self._standing, outcome, self.check)
            self._due = due(self._standing, self._due, 0, self.check)
            told = verdict([self._standing])
            if told is not None and told != self._told:
                self._told = told
                self.tell(ServiceChecked("www", told.fit, told.detail, told.doubt))

    def restart(self, *, order: bool = True) -> None:
        """The agent begins anew, with the order it kept if so; ExaBGP and the kernel went on."""
        held, rib, kernel = self.state.held, self.state.rib, self.state.kernel
        self.state, self._standing, self._told = HostState(), Standing(), None
        self._due, self._version = self.now, -1
        if order:
            self.tell(OrderArrived(held.stamp, held.order))
        self.tell(BgpSeen(attached=True, rib=rib, wire=rib))
        self.tell(kernel)

    def word(self) -> Told:
        """What it says of itself now."""
        words = self.state.words(self.facts)
        fields = {name: getattr(words, name) for name in ("fit", "offers", "keeps")}
        return Told(pop=self.name, host=f"{self.name}-1", instance="run", **fields)

    def listen(self, air: Air) -> None:
        """The watch: at once when a word changed, else every so often."""
        if air.version[self.name] == self._version and self.now - self._watched < WATCH - STEP / 2:
            return
        self._version, self._watched = air.version[self.name], self.now
        heard = air.heard[self.name]
        others = {name: told for name, told in heard.items() if name != self.name}
        seen = tuple(
            Sighting(pop=name, uplink="north", family="v4", up=name not in air.silent)
            for name in others
        )
        told = {
            each.host: msgspec.structs.replace(each, heard=self.now)
            for each in others.values()
            if each.pop not in air.silent
        }
        works = {name: dict.fromkeys(Family, True) for name in ("north", "south")}
        self.tell(Watched(seen, {}, works, told=told))

    def idle(self) -> None:
        fleet, heard = self.facts.fleet, self.state.heard
        interval = fleet.timing.watch_interval
        since = self.now - STEP - EPSILON
        at = next_look(self.state.services, fleet.services, heard, interval, since)
        if self.now - self._ticked >= 1.0 or (at is not None and at <= self.now):
            self._ticked = self.now
            self.tell(Tick())


class Air:
    """Words on their way, and as everybody has heard them."""

    def __init__(self, names: list[str], rtt: Rtt | None) -> None:
        self.version = dict.fromkeys(names, 0)
        self.heard: dict[str, dict[str, Told]] = {name: {} for name in names}
        self.silent: set[str] = set()
        self._rtt = rtt
        self._said: dict[str, Told] = {}
        self._coming: list[tuple[float, int, str, Told]] = []
        self._numbers = itertools.count()

    def say(self, told: Told, now: float) -> None:
        if self._said.get(told.pop) == told:
            return
        self._said[told.pop] = told
        for name in self.heard:
            delay, fields = WORD_DELAY, {}
            if self._rtt is not None:
                rtt = self._rtt(told.pop, name)
                delay, fields = PROBED + rtt, {"rtt": rtt}
            fresh = msgspec.structs.replace(told, **fields)
            heapq.heappush(self._coming, (now + delay, next(self._numbers), name, fresh))

    def arrive(self, now: float) -> None:
        while self._coming and self._coming[0][0] <= now:
            _, _, name, told = heapq.heappop(self._coming)
            self.heard[name][told.pop] = told
            self.version[name] += 1

    def silence(self, name: str) -> None:
        self.silent.add(name)
        for each in self.version:
            self.version[each] += 1


class Crowd:
    """The fleet; ``keeper`` holds the roles of the shared prefixes. Starts healthy.

    ``rtt`` gives the seconds of a round trip between two PoPs.
    """

    def __init__(
        self,
        count: int,
        check: Check = DENSE,
        keeper: str | None = None,
        rtt: Rtt | None = None,
    ) -> None:
        names = [f"p{number:02}" for number in range(count)]
        fleet = fleet_of(names, check)
        self.now, self.air = 1000.0, Air(names, rtt)
        self.withdrawals: Counter[tuple[str, str]] = Counter()
        self.least: dict[str, int] = {}
        self.members = {
            name: Member(fleet, name, self.now, check.interval * place / count)
            for place, name in enumerate(names)
        }
        self._steered = {ANYCAST, COVER, *(own(place) for place in range(count))}
        terminate = fleet.service_addresses()
        keepers = {ANYCAST: keeper, COVER: keeper} if keeper else {}
        for place, each in enumerate(self.members.values()):
            body = adverts(own(place), ANYCAST, COVER)
            each.tell(BgpSeen(attached=True))
            each.tell(KernelSeen(frozenset(), {"north": True, "south": True}, {}))
            order = Order(advertisements=body, terminate=terminate, keepers=keepers)
            each.tell(OrderArrived(stamp(1), order))
        self.run(max(3.0, check.interval + (check.rise - 1) * check.fast_interval + 1.0))
        assert all(len(each.prefixes) == 3 for each in self.members.values())
        self.withdrawals.clear()
        self.least.clear()

    def fail(self, *names: str) -> None:
        for name in names:
            self.members[name].passes = False

    def recover(self, *names: str) -> None:
        for name in names:
            self.members[name].passes = True

    def kill(self, *names: str) -> None:
        """They fall silent, all at once."""
        for name in names:
            self.members[name].alive = False
            self.air.silence(name)

    def advertisers(self, prefix: str) -> set[str]:
        return {name for name, each in self.members.items() if prefix in each.prefixes}

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self._step()

    def _step(self) -> None:
        self.now = round(self.now + STEP, 6)
        self.air.arrive(self.now)
        for name, each in self.members.items():
            each.now = self.now
            before, state = each.prefixes, each.state
            if each.alive:
                each.run_checks()
                each.listen(self.air)
                each.idle()
                each.obey()
            if each.state is not state:
                self.air.say(each.word(), self.now)
                self.withdrawals.update((name, prefix) for prefix in before - each.prefixes)
        self._count()

    def _count(self) -> None:
        on_wire = Counter(prefix for each in self.members.values() for prefix in each.prefixes)
        for prefix in self._steered:
            self.least[prefix] = min(self.least.get(prefix, 99), on_wire[prefix])
