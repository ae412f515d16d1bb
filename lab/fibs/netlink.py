"""The kernel's routing messages (rtnetlink(7)), as much of them as a FIB model needs.

One raw socket per namespace: subscribe first, then ask for a dump, so that no change falls
between the two. Bytes in, values out; nothing is kept here.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from lab.fibs.namespaces import inside

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_MULTIPATH, RTA_TABLE = 1, 4, 5, 6, 9, 15
IFLA_IFNAME: Final = 3
IFF_UP, IFF_LOWER_UP = 1, 0x10000
RTM_F_CLONED: Final = 0x200
TABLE_MAIN, TABLE_LOCAL = 254, 255
UNICAST, LOCAL = 1, 2
SOL_NETLINK, NETLINK_NO_ENOBUFS, SO_RCVBUFFORCE = 270, 5, 33
RECEIVE_BUFFER: Final = 4 << 20
GROUPS: Final = (1 << 0) | (1 << 6) | (1 << 10)  # links, IPv4 routes, IPv6 routes

_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_LINK = struct.Struct("=BBHiII")
_ATTRIBUTE = struct.Struct("=HH")
_NEXTHOP = struct.Struct("=HBBi")
_U32 = struct.Struct("=I")


class RouteMessage(msgspec.Struct, frozen=True):
    """A route added (or replaced) or removed.

    Attributes:
        family: 4 or 6.
        kind: the kernel's route type (`UNICAST`, `LOCAL`, others).
        network: the prefix as a number.
        interface: index of the outgoing one.
        gateway: packed address; None where the destination is on the link.
    """

    added: bool
    family: int
    table: int
    kind: int
    network: int
    length: int
    metric: int
    interface: int
    gateway: bytes | None


class LinkMessage(msgspec.Struct, frozen=True):
    """A link's present state; `up` is what an administrator set, `carrier` what the cable says."""

    gone: bool
    index: int
    name: str
    up: bool
    carrier: bool


class DumpDone(msgspec.Struct, frozen=True):
    """The dump that was asked for is complete."""


Message = RouteMessage | LinkMessage | DumpDone


def open_socket(namespace: Path | str) -> socket.socket:
    """A non-blocking rtnetlink socket in `namespace`, subscribed to links and routes."""
    with inside(namespace):
        sock = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:  # in a user namespace: as much as the system allows
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    sock.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    sock.bind((0, GROUPS))
    return sock


def request_dump(sock: socket.socket, kind: int) -> None:
    """Ask for all links (`RTM_GETLINK`) or all routes of both families (`RTM_GETROUTE`)."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) if kind == RTM_GETLINK else _ROUTE.pack(*[0] * 9)
    flags = NLM_F_REQUEST | NLM_F_DUMP
    sock.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)


def parse(data: bytes) -> Iterator[Message]:
    """All messages of one datagram that matter; others are skipped."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        start, end = offset + _HEADER.size, offset + length
        if kind in (RTM_NEWROUTE, RTM_DELROUTE):
            route = _parse_route(data, start, end, added=kind == RTM_NEWROUTE)
            if route is not None:
                yield route
        elif kind in (RTM_NEWLINK, RTM_DELLINK):
            yield _parse_link(data, start, end, gone=kind == RTM_DELLINK)
        elif kind in (NLMSG_DONE, NLMSG_ERROR):
            yield DumpDone()
        offset += (length + 3) & ~3


def _attributes(data: bytes, offset: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(type, start, end) of every attribute."""
    while offset + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, offset + _ATTRIBUTE.size, offset + length
        offset += (length + 3) & ~3


def _parse_route(data: bytes, start: int, end: int, *, added: bool) -> RouteMessage | None:
    family, length, _, _, table, _, _, kind, flags = _ROUTE.unpack_from(data, start)
    if family not in (socket.AF_INET, socket.AF_INET6) or flags & RTM_F_CLONED:
        return None
    destination, interface, gateway, metric = b"", 0, None, 0
    for attribute, a, b in _attributes(data, start + _ROUTE.size, end):
        if attribute == RTA_DST:
            destination = data[a:b]
        elif attribute == RTA_OIF:
            (interface,) = _U32.unpack_from(data, a)
        elif attribute == RTA_GATEWAY:
            gateway = data[a:b]
        elif attribute == RTA_PRIORITY:
            (metric,) = _U32.unpack_from(data, a)
        elif attribute == RTA_TABLE:
            (table,) = _U32.unpack_from(data, a)
        elif attribute == RTA_MULTIPATH and interface == 0:
            interface, gateway = _first_nexthop(data, a)
    return RouteMessage(
        added=added,
        family=4 if family == socket.AF_INET else 6,
        table=table,
        kind=kind,
        network=int.from_bytes(destination, "big"),
        length=length,
        metric=metric,
        interface=interface,
        gateway=gateway,
    )


def _first_nexthop(data: bytes, start: int) -> tuple[int, bytes | None]:
    """Interface and gateway of the first of several equal next hops."""
    length, _, _, interface = _NEXTHOP.unpack_from(data, start)
    for attribute, a, b in _attributes(data, start + _NEXTHOP.size, start + length):
        if attribute == RTA_GATEWAY:
            return interface, data[a:b]
    return interface, None


def _parse_link(data: bytes, start: int, end: int, *, gone: bool) -> LinkMessage:
    _, _, _, index, flags, _ = _LINK.unpack_from(data, start)
    name = ""
    for attribute, a, b in _attributes(data, start + _LINK.size, end):
        if attribute == IFLA_IFNAME:
            name = data[a:b].rstrip(b"\0").decode()
    return LinkMessage(gone, index, name, bool(flags & IFF_UP), bool(flags & IFF_LOWER_UP))
