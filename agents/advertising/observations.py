"""The closed union of things an agent can learn; adapters put them into the loop's mailbox."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Brake, Order, Session, Sighting
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
    """One service's checks, after hysteresis: fit or not, and why in a short text.

    ``doubt``: its checks have begun to fail, but not often enough to judge it. A doubted service
    is still advertised, and is nobody's reason to withdraw theirs.
    """

    service: str
    fit: bool
    detail: str = ""
    doubt: bool = False


class Told(msgspec.Struct, frozen=True):
    """What another host says of itself in its probe replies (its *word*), as last heard.

    Attributes:
        fit: services that are fit there without doubt.
        offers: shared prefixes whose keeper it is and wants to stop being, because it is unfit.
        keeps: shared prefixes it advertises, is fit for, and keeps for as long as it can.
        seen: what it sees itself, so that a quorum works without the broker.
        voice: its agent speaks; if not, only its responder answers.
        switched: its dead man's switch has fired.
        heard: when it was last heard (the caller's clock).
        rtt: how long replies of this host take at most lately, from probe to reply, in seconds.
    """

    pop: str
    host: str
    instance: str
    fit: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    seen: tuple[Sighting, ...] = ()
    voice: bool = True
    switched: bool = False
    heard: float = 0.0
    rtt: float = 0.0


class Watched(msgspec.Struct, frozen=True):
    """What the watch sees.

    Attributes:
        seen: every watched path (other PoP, its uplink, family), up or not, since when.
        witnesses: prefix -> PoPs that answered at its witness address lately.
        working: uplink -> family -> whether probes sent through it come back.
        paused: the loop stood still; judgements start anew.
        told: host -> what it said of itself in its last reply.
        loss: uplink -> share of probes through it that were not answered in the last seconds.
    """

    seen: tuple[Sighting, ...]
    witnesses: Mapping[str, tuple[str, ...]]
    working: Mapping[str, Mapping[Family, bool]]
    paused: bool = False
    told: Mapping[str, Told] = {}
    loss: Mapping[str, float] = {}


class ControllerSeen(msgspec.Struct, frozen=True):
    """The controller said that it is there (a new beat), or its last will that it is not."""

    online: bool
    epoch: int = 0


class BfdSeen(msgspec.Struct, frozen=True):
    """Forwarding to each neighbor as BFD (RFC 5880) sees it; what is not listed has no BFD."""

    up: Mapping[str, Mapping[Family, bool]]


class LoadSeen(msgspec.Struct, frozen=True):
    """How loaded this host is: shares (0..1) of its CPUs, and of each uplink's capacity.

    Both over the last second or two; ``burst`` is the CPUs' share over the last fraction of a
    second, which is the time in which a service that begins to fail is judged.
    """

    cpu: float
    uplinks: Mapping[str, float] = {}
    burst: float = 0.0


class BrakePulled(msgspec.Struct, frozen=True):
    """An operator on this host pulled the brake, or released it (none)."""

    brake: Brake | None


class BusChanged(msgspec.Struct, frozen=True):
    """The broker was reached, or lost. Losing it changes nothing (I8)."""

    connected: bool


class StoodStill(msgspec.Struct, frozen=True):
    """This process did not run for a while (stopped, swapped out, its machine paused)."""


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
    | ControllerSeen
    | BfdSeen
    | LoadSeen
    | BrakePulled
    | StoodStill
    | Tick
)
