"""The closed union of messages, version 1.

Every payload is an envelope (see :mod:`ambicast.contract.codec`) around one of these bodies. New
fields get defaults and are ignored by older readers; a new meaning of an old field needs a new
version. Durations are seconds, instants seconds since the Unix epoch (for people and for logs
only: no decision compares clocks of two machines).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from tests.contract.previous.identifiers import Family
from tests.contract.previous.routes import Advertisement


class Body(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """A message body; the tag is the envelope's ``type``."""


class ControllerPresence(Body, frozen=True, tag="controller-presence", kw_only=True):
    """The controller is there (retained), or not (its last will)."""

    online: bool
    instance: str
    since: float


class Presence(Body, frozen=True, tag="presence", kw_only=True, omit_defaults=True):
    """A host's agent is there, or not (last will): a hint only, never a reason to move traffic.

    ``leaving`` is said by an agent that stops in good order, so that its silence to watchers while
    it restarts is not taken for the death of its PoP; a last will never says it.
    """

    online: bool
    leaving: bool = False
    instance: str
    since: float
    roles: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


class Order(Body, frozen=True, tag="order", kw_only=True):
    """The whole desired set of one host. Sending it twice is sending it once.

    Attributes:
        advertisements: everything this host shall advertise while its services are fit.
        terminate: service addresses this host shall terminate (always a superset of what the
            advertised prefixes can attract).
        observe: steered prefixes whose witness addresses this host shall probe.
        keepers: prefix -> PoP that may not drop it before another took the role.
        lease: seconds of silence after which contingencies are armed; its expiry changes nothing.
        reason: one sentence for people.
    """

    advertisements: tuple[Advertisement, ...]
    terminate: tuple[str, ...]
    observe: tuple[str, ...] = ()
    keepers: Mapping[str, str] = {}
    contingencies: tuple[str, ...] = ()
    lease: float = 30.0
    reason: str = ""


class Outcome(StrEnum):
    """What a receiver did with an order or a steering message."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Receipt(Body, frozen=True, tag="receipt", kw_only=True):
    """A host's answer to every order, parsed or not.

    ``wire`` is what its neighbors have been sent at this moment, from the echoed UPDATEs on
    sessions that negotiated the family; ``refusals`` names each offence and what is allowed.
    """

    outcome: Outcome
    refusals: tuple[str, ...] = ()
    wire: tuple[Advertisement, ...] = ()


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One BGP session: uplink and family of the transport, and the families it negotiated."""

    uplink: str
    family: Family
    established: bool
    families: tuple[Family, ...] = ()
    since: float = 0.0


class UplinkState(msgspec.Struct, frozen=True, kw_only=True):
    """One uplink as its host sees it: carrier, and whether probes through it come back."""

    uplink: str
    carrier: bool
    working: Mapping[Family, bool]
    since: float = 0.0


class Fitness(msgspec.Struct, frozen=True, kw_only=True):
    """One service at one host: fit or not, and why in one short text."""

    service: str
    fit: bool
    detail: str = ""
    since: float = 0.0


class Report(Body, frozen=True, tag="report", kw_only=True):
    """The whole state of one host (retained); sent on every change and periodically."""

    instance: str
    sessions: tuple[Session, ...] = ()
    uplinks: tuple[UplinkState, ...] = ()
    services: tuple[Fitness, ...] = ()
    wire: tuple[Advertisement, ...] = ()
    terminated: tuple[str, ...] = ()
    default_uplink: Mapping[Family, str] = {}
    order_epoch: int = 0
    order_generation: int = 0


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One path from this watcher: the PoP, the uplink and family it was probed at, up or not."""

    pop: str
    uplink: str
    family: Family
    up: bool
    since: float = 0.0


class Sightings(Body, frozen=True, tag="sightings", kw_only=True):
    """What one watcher sees.

    Attributes:
        seen: every watched path, up or not.
        witnesses: observed prefix -> PoPs that answered at its witness address lately.
        paused: the watcher's own loop stood still; its judgement starts anew.
    """

    instance: str
    seen: tuple[Sighting, ...]
    witnesses: Mapping[str, tuple[str, ...]] = {}
    paused: bool = False


class Steering(Body, frozen=True, tag="steering", kw_only=True):
    """All answers of a nameserver: service -> client group -> addresses of both families.

    The group ``default`` answers everyone no prefix lists.
    """

    ttl: float
    answers: Mapping[str, Mapping[str, tuple[str, ...]]]
    reason: str = ""


class ClientMap(Body, frozen=True, tag="map", kw_only=True):
    """Which prefixes make up which client group, and which names each service answers to."""

    zone: str
    names: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]


class NameserverReceipt(Body, frozen=True, tag="nameserver-receipt", kw_only=True):
    """A nameserver host's answer to a steering message or map.

    Accepted means *proven*: real ECS queries to the running server returned the new answers.
    """

    outcome: Outcome
    answers_to: str = "steering"
    refusals: tuple[str, ...] = ()
    proven: int = 0


class NameserverReport(Body, frozen=True, tag="nameserver-report", kw_only=True):
    """The state of one nameserver (retained): what it answers now."""

    instance: str
    running: bool
    steering_epoch: int = 0
    steering_generation: int = 0
    map_epoch: int = 0
    map_generation: int = 0
    detail: str = ""


Message = (
    ControllerPresence
    | Presence
    | Order
    | Receipt
    | Report
    | Sightings
    | Steering
    | ClientMap
    | NameserverReceipt
    | NameserverReport
)
