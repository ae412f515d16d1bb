"""What the routers did with the steered prefixes: a log of their tables, and questions to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

import msgspec

from lab.fibs import FibEvent
from lab.topology.attachments import hosts_of, router_of
from lab.topology.internet import STEERED_V4, STEERED_V6, Internet
from lab.topology.shapes import Topology

MS: Final = 1_000_000
Network = IPv4Network | IPv6Network
Routes = dict[tuple[str, str], str]
STEERED: Final[tuple[Network, ...]] = tuple(ip_network(p) for p in (*STEERED_V4, *STEERED_V6))


@cache
def within(prefix: str, networks: tuple[Network, ...]) -> bool:
    """Whether a prefix lies in (or is) one of these."""
    inner = ip_network(prefix)
    return any(
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
        for outer in networks
    )


def routers(topology: Topology) -> tuple[str, ...]:
    """The transits: whatever their tables say, the Internet does."""
    return tuple(node.name for node in topology.of_role("transit"))


class Addresses(msgspec.Struct, frozen=True):
    """Which next hops mean which PoP, and which prefixes are its own."""

    pops: Mapping[str, str]
    own: Mapping[str, tuple[Network, ...]]


def addresses(internet: Internet, topology: Topology) -> Addresses:
    """From a lab's description."""
    pops: dict[str, str] = {}
    for pop in internet.pops:
        router = router_of(pop)
        for node in (*(h.node for h in hosts_of(pop)), *([router] if router else [])):
            pops |= {a.bare: pop.name for a in topology.node(node).addresses}
    own = {pop.name: tuple(ip_network(p) for p in pop.home.values()) for pop in internet.pops}
    return Addresses(pops, own)


class RouteLog(msgspec.Struct, frozen=True):
    """All steered routes when the load started, and every change of one since.

    Attributes:
        first: (router, prefix) -> next hop.
        events: at routers, of steered prefixes, in order of time.
    """

    first: Routes
    events: Sequence[FibEvent]
    addresses: Addresses

    def changes(self, since_ns: int, family: str | None = None) -> list[FibEvent]:
        """Every change since an instant."""
        return [
            e
            for e in self.events
            if e.t_ns >= since_ns and (family is None or _family(e.prefix or "") == family)
        ]

    def states(self) -> Iterator[tuple[int, Routes]]:
        """The tables after every change; one dict, which changes under way."""
        now = dict(self.first)
        yield 0, now
        for event in self.events:
            assert event.prefix is not None
            key = (event.node, event.prefix)
            if event.what == "route-removed":
                now.pop(key, None)
            else:
                now[key] = event.gateway or event.interface or ""
            yield event.t_ns, now

    def at(self, t_ns: int) -> Routes:
        """The tables as they were at an instant."""
        found: Routes = dict(self.first)
        for when, now in self.states():
            if when > t_ns:
                break
            found = dict(now)
        return found

    def since_when(
        self, holds: Callable[[Routes], bool], start_ns: int, end_ns: int
    ) -> float | None:
        """Milliseconds from `start_ns` until `holds` held for good; None: not by `end_ns`."""
        since: int | None = start_ns if holds(self.at(start_ns)) else None
        for when, now in self.states():
            if not start_ns < when < end_ns:
                continue
            if not holds(now):
                since = None
            elif since is None:
                since = when
        return None if since is None else round((since - start_ns) / MS, 1)

    def leads_to(self, pop: str, routes: Routes) -> set[str]:
        """The PoP's own prefixes that some router sends to it."""
        own = self.addresses.own[pop]
        return {
            prefix
            for (_, prefix), hop in routes.items()
            if self.addresses.pops.get(hop) == pop and within(prefix, own)
        }

    def withdrawals(self, pop: str, since_ns: int) -> dict[str, int]:
        """How often each of the PoP's own prefixes lost its last route to it."""
        own, pops = self.addresses.own[pop], self.addresses.pops
        leading: dict[str, set[str]] = {}
        for (router, prefix), hop in self.first.items():
            if pops.get(hop) == pop and within(prefix, own):
                leading.setdefault(prefix, set()).add(router)
        counts: dict[str, int] = {}
        for event in self.events:
            if event.prefix is None or not within(event.prefix, own):
                continue
            led = leading.setdefault(event.prefix, set())
            before = bool(led)
            if event.what != "route-removed" and pops.get(event.gateway or "") == pop:
                led.add(event.node)
            else:
                led.discard(event.node)
            if before and not led and event.t_ns >= since_ns:
                counts[event.prefix] = counts.get(event.prefix, 0) + 1
        return counts


def log_of(
    first: Routes, events: Sequence[FibEvent], nodes: Sequence[str], known: Addresses, zero_ns: int
) -> RouteLog:
    """The log of steered prefixes at `nodes` since `zero_ns`, when `first` was the state."""
    kept = [
        event
        for event in events
        if event.t_ns >= zero_ns
        and event.node in nodes
        and event.prefix is not None
        and within(event.prefix, STEERED)
    ]
    steered = {key: hop for key, hop in first.items() if within(key[1], STEERED)}
    return RouteLog(steered, kept, known)


def _family(prefix: str) -> str:
    return "v6" if ":" in prefix else "v4"
