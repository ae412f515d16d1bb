"""The closed union of things an agent can learn; adapters put them into the loop's mailbox."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Order, Session, Sighting
from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement


class OrderArrived(msgspec.Struct, frozen=True):
    """An order from the bus, decoded."""

    stamp: Stamp
    order: Order


class OrderUnreadable(msgspec.Struct, frozen=True):
    """A payload on the order topic that is no order; it gets a receipt all the same."""

    why: str


class BgpSeen(msgspec.Struct, frozen=True):
    """What ExaBGP holds and has sent.

    ``attached`` is false while the bridge or ExaBGP is away; ``rib`` is its whole adj-rib-out;
    ``wire`` the part of it echoed as sent on an established session that negotiated the family.
    """

    attached: bool
    sessions: tuple[Session, ...] = ()
    rib: frozenset[Advertisement] = frozenset()
    wire: frozenset[Advertisement] = frozenset()


class KernelSeen(msgspec.Struct, frozen=True):
    """What the kernel holds: service addresses, carrier per uplink, default route in use."""

    terminated: frozenset[str]
    carrier: Mapping[str, bool]
    default_uplink: Mapping[Family, str]


class ServiceChecked(msgspec.Struct, frozen=True):
    """One service's checks, after hysteresis: fit or not, and why in a short text."""

    service: str
    fit: bool
    detail: str = ""


class Watched(msgspec.Struct, frozen=True):
    """What the watch sees.

    Attributes:
        seen: every watched path (other PoP, its uplink, family), up or not, since when.
        witnesses: prefix -> PoPs that answered at its witness address lately.
        working: uplink -> family -> whether probes sent through it come back.
        paused: the loop stood still; judgements start anew.
    """

    seen: tuple[Sighting, ...]
    witnesses: Mapping[str, tuple[str, ...]]
    working: Mapping[str, Mapping[Family, bool]]
    paused: bool = False


class BusChanged(msgspec.Struct, frozen=True):
    """The broker was reached, or lost. Losing it changes nothing (I8)."""

    connected: bool


class Tick(msgspec.Struct, frozen=True):
    """Time passed; look again."""


Observation = (
    OrderArrived
    | OrderUnreadable
    | BgpSeen
    | KernelSeen
    | ServiceChecked
    | Watched
    | BusChanged
    | Tick
)
