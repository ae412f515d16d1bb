"""The JSON that ExaBGP 5.0 writes, as far as we read it: field names are ExaBGP's, not ours.

The same attributes are written in two ways: numbers in an echoed UPDATE, texts and names in a row
of the adj-rib-out.
"""

# ruff: noqa: D101 - the module says what they are

from __future__ import annotations

import msgspec

from agents.bgp.paths import Numbers


class Address(msgspec.Struct):
    peer: str


class Segment(msgspec.Struct):
    element: str
    value: tuple[int, ...]


class AttributesText(msgspec.Struct, rename="kebab"):
    as_path: dict[str, Segment] = {}
    med: int | None = None
    community: tuple[Numbers | str, ...] = ()
    large_community: tuple[Numbers | str, ...] = ()


class Nlri(msgspec.Struct):
    nlri: str


class UpdateText(msgspec.Struct):
    attribute: AttributesText = msgspec.field(default_factory=AttributesText)
    announce: dict[str, dict[str, list[Nlri]]] = {}
    withdraw: dict[str, list[Nlri]] = {}


class Message(msgspec.Struct):
    update: UpdateText | None = None


class Families(msgspec.Struct):
    families: tuple[str, ...]


class About(msgspec.Struct):
    address: Address
    state: str = ""
    reason: str = ""
    direction: str = ""
    negotiated: Families | None = None
    message: Message | None = None


class EventText(msgspec.Struct):
    type: str
    time: float
    neighbor: About | None = None


class RouteNlri(msgspec.Struct):
    prefix: str
    nexthop: str


class Route(msgspec.Struct):
    nlri: RouteNlri
    attributes: AttributesText


class RowPeer(msgspec.Struct):
    address: str


class RowText(msgspec.Struct):
    peer: RowPeer
    route: Route


class PeerText(msgspec.Struct):
    fsm: str
    peer: RowPeer
    families: tuple[str, ...]
