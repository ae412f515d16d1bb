"""What is said to the kernel, and what it says: pyroute2's messages and our own words."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

from pyroute2 import AsyncIPRoute  # type: ignore[import-untyped]
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

from agents.netlink.layout import MAIN_TABLE, PROTOCOL, Route, Rule
from agents.netlink.repairs import (
    AddAddress,
    AddRule,
    Change,
    Present,
    PutRoute,
    RemoveAddress,
    RemoveRoute,
    RemoveRule,
)
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import family

_NUMBER = {Family.V4: socket.AF_INET, Family.V6: socket.AF_INET6}
_FAMILY = {int(number): kind for kind, number in _NUMBER.items()}
_HOST = {Family.V4: 32, Family.V6: 128}
_UP = 0x1  # IFF_UP
_NODAD = 0x2  # IFA_F_NODAD: nobody else may have it, and waiting would make it unusable
_DEAD = 0x1  # RTNH_F_DEAD

# What says that somebody was faster: the kernel holds already what we wanted.
_DONE_ALREADY = frozenset(
    {errno.EEXIST, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL, errno.ENODEV}
)

Owned = Callable[[str], bool]
Message = Any


class Dialogue:
    """One open netlink socket for questions and changes."""

    def __init__(self, netlink: AsyncIPRoute, owned: Owned) -> None:
        self._netlink = netlink
        self._owned = owned
        self._index: dict[str, int] = {}

    async def read(self) -> Present:
        """The present state, by a dump of everything that matters."""
        names: dict[int, str] = {}
        up = set()
        async for link in await self._netlink.link("dump"):
            name = link.get("ifname")
            names[link["index"]] = name
            if link["flags"] & _UP:
                up.add(name)
        self._index = {name: index for index, name in names.items()}
        ours, defaults = await self._read_routes(names)
        return Present(
            addresses=await self._read_addresses(),
            rules=await self._read_rules(),
            routes=ours,
            defaults=defaults,
            up=frozenset(up),
        )

    async def apply(self, change: Change) -> None:
        """Make one change; that it is made already is no fault.

        Raises:
            NetlinkError: where the kernel refuses it.
        """
        try:
            await self._apply(change)
        except NetlinkError as fault:
            if fault.code not in _DONE_ALREADY:
                raise

    async def _read_addresses(self) -> frozenset[str]:
        found = set()
        async for message in await self._netlink.addr("dump", index=self._index.get("lo", 1)):
            kind = _FAMILY.get(message["family"])
            text = message.get("local") or message.get("address")
            if kind and message["prefixlen"] == _HOST[kind] and self._owned(text):
                found.add(text)
        return frozenset(found)

    async def _read_rules(self) -> frozenset[Rule]:
        found = set()
        for kind, number in _NUMBER.items():
            async for message in await self._netlink.rule("dump", family=number):
                if message.get("protocol") == PROTOCOL and message.get("src"):
                    table, priority = message.get("table"), message.get("priority")
                    found.add(Rule(kind, message.get("src"), table, priority))
        return frozenset(found)

    async def _read_routes(
        self, names: dict[int, str]
    ) -> tuple[frozenset[Route], dict[Family, tuple[str, ...]]]:
        ours = set()
        main: dict[Family, list[tuple[int, str]]] = {}
        for number in _NUMBER.values():
            async for message in await self._netlink.route("dump", family=number, dst_len=0):
                route = _default_route(message, names)
                if route is None:
                    continue
                if message["proto"] == PROTOCOL:
                    ours.add(route)
                if route.table == MAIN_TABLE and not message["flags"] & _DEAD:
                    main.setdefault(route.family, []).append((route.metric, route.interface))
        defaults = {kind: tuple(name for _, name in sorted(all_)) for kind, all_ in main.items()}
        return frozenset(ours), defaults

    async def _apply(self, change: Change) -> None:
        match change:
            case AddAddress(text):
                extra = {"flags": _NODAD} if family(text) is Family.V6 else {}
                await self._netlink.addr("add", **self._on_lo(text), **extra)
            case RemoveAddress(text):
                await self._netlink.addr("del", **self._on_lo(text))
            case AddRule(rule):
                await self._netlink.rule("add", **_rule(rule))
            case RemoveRule(rule):
                await self._netlink.rule("del", **_rule(rule))
            case PutRoute(route):
                await self._netlink.route("replace", **self._route(route))
            case RemoveRoute(route):
                await self._netlink.route("del", **self._route(route))

    def _on_lo(self, text: str) -> dict[str, Any]:
        kind = family(text)
        return {
            "index": self._index.get("lo", 1),
            "family": _NUMBER[kind],
            "address": text,
            "prefixlen": _HOST[kind],
        }

    def _route(self, route: Route) -> dict[str, Any]:
        return {
            "family": _NUMBER[route.family],
            "dst": "default",
            "gateway": route.gateway,
            "oif": self._index.get(route.interface, 0),
            "table": route.table,
            "priority": route.metric,
            "proto": PROTOCOL,
        }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "family": _NUMBER[rule.family],
        "src": rule.source,
        "table": rule.table,
        "priority": rule.priority,
        "protocol": PROTOCOL,
    }


def _default_route(message: Message, names: dict[int, str]) -> Route | None:
    """The default route in ``message``, unless it is another one or has no single gateway."""
    kind = _FAMILY.get(message["family"])
    interface = names.get(message.get("oif") or 0)
    if kind is None or message["dst_len"] != 0 or interface is None:
        return None
    return Route(
        kind,
        message.get("table") or message["table"],
        message.get("priority") or 0,
        interface,
        message.get("gateway") or "",
    )
