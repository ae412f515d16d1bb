"""Several agents that watch each other, in virtual time: their fold and decision, nothing else.

Each PoP has one host that probes the PoPs it watches through both its uplinks, in both families,
each path every 100 ms, not all at once; replies carry the other's sightings of its ring as they
are then. A path
that was not heard for 300 ms is down. ExaBGP and the kernel obey at once. Whatever fails is a
*cut*: a predicate over (asker, asker's uplink, asked, family), so that a death, an isolated PoP, a
silent uplink or a silent family are all said in one line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import msgspec

from agents.advertising.accept import Accepted
from agents.advertising.desire import desired
from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import (
    BgpSeen,
    BusChanged,
    ControllerSeen,
    KernelSeen,
    OrderArrived,
    ServiceChecked,
    Tick,
    Told,
    Watched,
)
from agents.advertising.state import Facts, HostState, fold, next_weather
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Contingency, Order, Sighting
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import family, split
from ambicast.model.routes import Advertisement
from ambicast.model.watching import ring, watched
from tests.agents_advertising.hosts import ALLOW, ANYCAST, FLEET, SERVICES, pop

STEP = 0.02
PROBE = 0.1
WINDOW = 0.3
TELL = 0.25
UPLINKS = ("north", "south")

Cut = Callable[[str, str, str, Family], bool]


def fleet_of(*names: str, **fields: object) -> Fleet:
    """PoPs with a /22 and a /46 each."""
    pops = {
        name: pop(name, f"198.18.{4 * place}.0/22", f"2001:db8:{0x1000 + 4 * place:x}::/46")
        for place, name in enumerate(sorted(names))
    }
    return msgspec.structs.replace(FLEET, pops=pops, services=SERVICES, **fields)


def halves(*prefixes: str) -> set[str]:
    return {half for prefix in prefixes for half in split(prefix, 1)}


def contingency(fleet: Fleet, lost: str) -> Contingency:
    own = fleet.pops[lost].prefixes
    return Contingency(lost=lost, prefixes=(*own, *sorted(halves(*own))), shared=split(ANYCAST, 1))


def order_for(fleet: Fleet, name: str, *more: str) -> Order:
    """The own prefixes, the anycast one and ``more``; a contingency for every other PoP."""
    prefixes = (*fleet.pops[name].prefixes, ANYCAST, *more)
    return Order(
        advertisements=tuple(
            Advertisement(prefix, uplink) for prefix in prefixes for uplink in UPLINKS
        ),
        terminate=fleet.service_addresses(),
        lease=1.0,
        when_lost=tuple(
            contingency(fleet, other) for other in sorted(fleet.pops) if other != name
        ),
    )


class Node:
    """The agent of one PoP, and all it was told."""

    def __init__(self, fleet: Fleet, name: str, now: float) -> None:
        self.name, self.fleet, self.now = name, fleet, now
        host = f"{name}-1"
        self.facts = Facts(fleet, fleet.pops[name], host, ALLOW, ServiceTable(fleet), "run")
        self.state = HostState()
        self.heard: dict[tuple[str, str, Family], float] = {}
        self.words: dict[str, Told] = {}
        self.told_at, self.told_what = float("-inf"), None
        self.due = now
        self.changes: list[tuple[float, frozenset[str]]] = []

    def tell(self, *observations: object) -> None:
        for each in observations:
            self.state = fold(self.state, each, self.facts, self.now)
            self._obey()
        self.due = min(self.now + 1.0, next_weather(self.state, self.facts, self.now))

    def give(self, order: Order, generation: int = 1, epoch: int = 1) -> None:
        self.tell(OrderArrived(Stamp(epoch, generation), order))

    @property
    def accepted(self) -> bool:
        return isinstance(self.state.verdict, Accepted)

    @property
    def wire(self) -> frozenset[str]:
        return frozenset(each.prefix for each in self.state.wire)

    def through(self, uplink: str) -> set[str]:
        return {each.prefix for each in self.state.wire if each.uplink == uplink}

    def seen(self) -> tuple[Sighting, ...]:
        paths: dict[tuple[str, Family], float] = {}
        for (_, other, kind), at in self.heard.items():
            paths[other, kind] = max(at, paths.get((other, kind), at))
        return tuple(
            Sighting(pop=other, uplink="north", family=kind, up=self.now - at <= WINDOW)
            for (other, kind), at in sorted(paths.items())
        )

    def working(self) -> Mapping[str, Mapping[Family, bool]]:
        found: dict[str, dict[Family, bool]] = {uplink: {} for uplink in UPLINKS}
        for (uplink, _, kind), at in self.heard.items():
            up = self.now - at <= WINDOW
            found[uplink][kind] = found[uplink].get(kind, False) or up
        return found

    def watch(self) -> None:
        """Tell the agent what is seen, if it changed or is due."""
        seen, working = self.seen(), self.working()
        what = (
            seen,
            working,
            {host: (word.seen, word.voice) for host, word in self.words.items()},
        )
        if what != self.told_what or self.now - self.told_at >= TELL:
            self.told_at, self.told_what = self.now, what
            self.tell(Watched(seen=seen, witnesses={}, working=working, told=dict(self.words)))

    def _obey(self) -> None:
        wanted = desired(self.state, self.facts, self.now)
        there = self.state.kernel.terminated if self.state.kernel else None
        if there is not None and wanted.addresses not in {None, there}:
            self._kernel(wanted.addresses)
            wanted = desired(self.state, self.facts, self.now)
        if wanted.advertisements is not None and wanted.advertisements != self.state.rib:
            held = wanted.advertisements
            seen = BgpSeen(attached=True, rib=held, wire=held)
            self.state = fold(self.state, seen, self.facts, self.now)
            self.changes.append((self.now, self.wire))

    def _kernel(self, addresses: frozenset[str]) -> None:
        carrier = dict.fromkeys(UPLINKS, True)
        default = dict(self.state.default_uplink)
        look = KernelSeen(terminated=addresses, carrier=carrier, default_uplink=default)
        self.state = fold(self.state, look, self.facts, self.now)


class Fleetwide:
    """All agents, the clock, and what is cut; starts calm, with the controller there."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.now = fleet, 1000.0
        self.watches = {name: watched(fleet, name) for name in fleet.pops}
        self.rings = {name: frozenset(ring(fleet, name)) for name in fleet.pops}
        self.cuts: list[Cut] = []
        self.dead: set[str] = set()
        self.beating = True
        self.nodes = {name: Node(fleet, name, self.now) for name in sorted(fleet.pops)}
        for name, node in self.nodes.items():
            node.tell(
                BgpSeen(attached=True),
                KernelSeen(frozenset(), dict.fromkeys(UPLINKS, True), {}),
                BusChanged(connected=True),
                ControllerSeen(online=True),
                *(ServiceChecked(service, fit=True) for service in sorted(fleet.services)),
            )
            node.give(order_for(fleet, name))
        self.run(1.5)
        for node in self.nodes.values():
            node.changes.clear()

    @property
    def alive(self) -> dict[str, Node]:
        return {name: node for name, node in self.nodes.items() if name not in self.dead}

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now = round(self.now + STEP, 6)
            for place, node in enumerate(self.alive.values()):
                node.now = self.now
                turn = round(self.now / STEP) + place
                self._probe(node, turn)
                if self.beating and turn % 50 == 0:
                    node.tell(ControllerSeen(online=True))
                node.watch()
                if self.now >= node.due:
                    node.tell(Tick())

    def _probe(self, node: Node, turn: int) -> None:
        for place, (uplink, kind) in enumerate(product(UPLINKS, Family)):
            if (turn + place) % round(PROBE / STEP) == 0:
                for other in self.watches[node.name]:
                    if self._reached(node.name, uplink, other, kind):
                        self._answer(node, uplink, self.nodes[other], kind)

    def _answer(self, node: Node, uplink: str, other: Node, kind: Family) -> None:
        node.heard[uplink, other.name, kind] = self.now
        host = other.facts.host
        seen = other.told_what[0] if other.told_what else ()
        said = tuple(each for each in seen if each.pop in self.rings[other.name])
        node.words[host] = Told(
            other.name, host, "run", fit=frozenset(self.fleet.services), seen=said, heard=self.now
        )

    def _reached(self, asker: str, uplink: str, asked: str, kind: Family) -> bool:
        return asked not in self.dead and not any(
            cut(asker, uplink, asked, kind) for cut in self.cuts
        )

    def controller_dies(self) -> None:
        """No beat from now on; the leases end."""
        self.beating = False
        self.run(1.3)

    def broker_dies(self) -> None:
        """Everybody notices."""
        self.beating = False
        for node in self.alive.values():
            node.tell(BusChanged(connected=False))

    def isolate(self, name: str) -> None:
        """Nothing reaches this PoP, and nothing comes from it."""
        self.cuts.append(lambda asker, _, asked, kind: name in {asker, asked})

    def deaths(self) -> Mapping[str, list[str]]:
        """PoP -> the PoPs whose prefixes it advertises besides its own."""
        return {
            name: [
                other
                for other in sorted(self.fleet.pops)
                if other != name and node.wire.issuperset(self.fleet.pops[other].prefixes)
            ]
            for name, node in self.alive.items()
        }


def v4(prefixes: set[str] | frozenset[str]) -> set[str]:
    return {prefix for prefix in prefixes if family(prefix) is Family.V4}


def v6(prefixes: set[str] | frozenset[str]) -> set[str]:
    return {prefix for prefix in prefixes if family(prefix) is Family.V6}
