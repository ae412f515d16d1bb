"""One node's forwarding table, kept up to date by the kernel's messages.

Look-up follows the kernel: the local table first, then the longest matching prefix of the main
table, the lowest metric among equals. Policy rules are not modelled: transits and clients have
none, and packets end at the first PoP.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Final

import msgspec

from lab.fibs.events import What
from lab.fibs.netlink import LOCAL, TABLE_LOCAL, TABLE_MAIN, UNICAST, LinkMessage, RouteMessage

BITS: Final = {4: 32, 6: 128}
_LINK_LOCAL: Final = 0xFE80 << 112
_MULTICAST: Final = 0xFF00 << 112


class Change(msgspec.Struct, frozen=True):
    """What a message changed, in words for an event."""

    what: What
    prefix: str | None
    gateway: str | None
    interface: str | None


class Link(msgspec.Struct):
    """An interface: its name, what its administrator set, what its cable says."""

    name: str
    up: bool
    carrier: bool

    @property
    def works(self) -> bool:
        """Whether a packet put into it may come out elsewhere."""
        return self.up and self.carrier


class Table:
    """Routes, local addresses and links of one node."""

    def __init__(self) -> None:
        """Empty."""
        self.links: dict[int, Link] = {}
        self._local: dict[int, set[int]] = {4: set(), 6: set()}
        self._routes: dict[int, dict[int, dict[int, dict[int, RouteMessage]]]] = {4: {}, 6: {}}
        self._lengths: dict[int, list[int]] = {4: [], 6: []}

    def apply_link(self, message: LinkMessage) -> Iterator[Change]:
        """Take in a link's new state.

        The kernel drops IPv4 routes over a link that was set down without saying so; so do we.
        """
        before = self.links.get(message.index)
        worked = before is not None and before.works
        works = not message.gone and message.up and message.carrier
        if message.gone:
            self.links.pop(message.index, None)
        else:
            self.links[message.index] = Link(message.name, message.up, message.carrier)
        if worked != works:
            yield Change("link-up" if works else "link-down", None, None, message.name)
        if message.gone or not message.up:
            yield from self._drop_over(message.index)

    def apply_route(self, message: RouteMessage) -> Iterator[Change]:
        """Take in an added, replaced or removed route."""
        if message.table == TABLE_LOCAL:
            self._apply_local(message)
        elif message.table == TABLE_MAIN and not _uninteresting(message):
            change = self._add(message) if message.added else self._remove(message)
            if change is not None:
                yield change

    def is_local(self, family: int, address: int) -> bool:
        """Whether this node terminates `address`."""
        return address in self._local[family]

    def lookup(self, family: int, address: int) -> RouteMessage | None:
        """The route the kernel would take for `address`, whatever its kind."""
        bits = BITS[family]
        routes = self._routes[family]
        for length in self._lengths[family]:
            shift = bits - length
            found = routes[length].get(address >> shift << shift)
            if found:
                if len(found) == 1:
                    return next(iter(found.values()))
                return found[min(found)]
        return None

    def routes(self) -> Iterator[RouteMessage]:
        """The route in use for every prefix of the main table."""
        for by_length in self._routes.values():
            for by_network in by_length.values():
                for at in by_network.values():
                    if at:
                        yield at[min(at)]

    def next_hop(self, route: RouteMessage) -> str:
        """Where a route leads: its gateway, or its interface where there is none."""
        if route.gateway is not None:
            return _text(route.gateway)
        link = self.links.get(route.interface)
        return link.name if link else ""

    def has(self, family: int, network: int, length: int) -> bool:
        """Whether exactly this prefix is in the main table."""
        return bool(self._routes[family].get(length, {}).get(network))

    def _apply_local(self, message: RouteMessage) -> None:
        if message.kind != LOCAL or message.length != BITS[message.family]:
            return
        if message.added:
            self._local[message.family].add(message.network)
        else:
            self._local[message.family].discard(message.network)

    def _add(self, message: RouteMessage) -> Change | None:
        routes = self._routes[message.family]
        if message.length not in routes:
            routes[message.length] = {}
            self._lengths[message.family] = sorted(routes, reverse=True)
        at = routes[message.length].setdefault(message.network, {})
        before = at.get(message.metric)
        at[message.metric] = message
        if before == message:
            return None
        return self._change("route-changed" if before else "route-added", message)

    def _remove(self, message: RouteMessage) -> Change | None:
        at = self._routes[message.family].get(message.length, {}).get(message.network, {})
        before = at.get(message.metric)
        if before is None or (before.interface, before.gateway) != (
            message.interface,
            message.gateway,
        ):
            return None  # another route has taken its place already
        del at[message.metric]
        return self._change("route-removed", message)

    def _drop_over(self, interface: int) -> Iterator[Change]:
        for by_network in self._routes[4].values():
            for at in by_network.values():
                for metric, route in list(at.items()):
                    if route.interface == interface:
                        del at[metric]
                        yield self._change("route-removed", route)

    def _change(self, what: What, route: RouteMessage) -> Change:
        link = self.links.get(route.interface)
        gateway = None
        if route.gateway is not None:
            gateway = _text(route.gateway)
        return Change(what, prefix_text(route), gateway, link.name if link else None)


def prefix_text(route: RouteMessage) -> str:
    """A route's prefix as people write it."""
    network = route.network.to_bytes(BITS[route.family] // 8, "big")
    return f"{_text(network)}/{route.length}"


def forwards(route: RouteMessage) -> bool:
    """Whether a route sends packets on (and is no blackhole or refusal)."""
    return route.kind == UNICAST


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def _uninteresting(message: RouteMessage) -> bool:
    """Link-local and multicast networks, which every IPv6 interface has."""
    if message.family == 4:
        return False
    return message.network >= _MULTICAST or message.network >> 118 == _LINK_LOCAL >> 118
