"""The closed union of messages, version 1.

Every payload is an envelope (see :mod:`ambicast.contract.codec`) around one of these bodies. New
fields get defaults and are ignored by older readers; a new meaning of an old field needs a new
version. Durations are seconds, instants seconds since the Unix epoch (for people and for logs
only: no decision compares clocks of two machines).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement

# The largest whole number every JSON reader holds exactly (RFC 8259 section 6).
LARGEST_NUMBER = 2**53 - 1
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)]


class Body(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """A message body; the tag is the envelope's ``type``."""


class ControllerPresence(Body, frozen=True, tag="controller-presence", kw_only=True):
    """The controller is there (retained), or not (its last will).

    Said again every second with a higher ``beat``: hosts that have not heard a new beat for their
    order's ``lease`` take the controller to be away (which changes nothing by itself).
    """

    online: bool
    instance: str
    since: float
    beat: Count = 0


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


class Contingency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a host advertises in addition when ``lost`` is lost while the controller is away.

    Attributes:
        lost: the PoP.
        prefixes: its own prefixes and their more-specifics, through every uplink of the family.
        shared: more-specifics of anycast prefixes: only where every PoP that can be heard says so,
            because a more-specific wins everywhere, whoever sends it.
    """

    lost: str
    prefixes: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()


class Order(Body, frozen=True, tag="order", kw_only=True):
    """The whole desired set of one host. Sending it twice is sending it once.

    Attributes:
        advertisements: everything this host shall advertise while its services are fit.
        terminate: service addresses this host shall terminate (always a superset of what the
            advertised prefixes can attract).
        observe: steered prefixes whose witness addresses this host shall probe.
        keepers: prefix -> PoP that may not drop it before another took the role.
        contingencies: never used; kept empty, because earlier agents read texts here.
        lease: seconds of silence after which contingencies are armed; its expiry changes nothing.
        reason: one sentence for people.
        when_lost: what to add when a PoP is lost while the controller is away.
    """

    advertisements: tuple[Advertisement, ...]
    terminate: tuple[str, ...]
    observe: tuple[str, ...] = ()
    keepers: Mapping[str, str] = {}
    contingencies: tuple[str, ...] = ()
    lease: float = 30.0
    reason: str = ""
    when_lost: tuple[Contingency, ...] = ()


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
    """One uplink as its host sees it: carrier, and whether probes through it come back.

    ``loss`` is the share (0..1) of probes through it that were not answered lately; ``held_down``
    says that nothing is advertised through it because it flapped.
    """

    uplink: str
    carrier: bool
    working: Mapping[Family, bool]
    since: float = 0.0
    loss: float = 0.0
    held_down: bool = False


class Fitness(msgspec.Struct, frozen=True, kw_only=True):
    """One service at one host: fit or not, and why in one short text.

    ``overloaded``: its checks fail while the host is loaded to its limit; it stays fit, and is
    given less. ``hold_down``: seconds it must go on passing before it is advertised again.
    """

    service: str
    fit: bool
    detail: str = ""
    since: float = 0.0
    overloaded: bool = False
    hold_down: float = 0.0


class DeedKind(StrEnum):
    """Why a host advertises more than it was ordered to."""

    COVER = "cover"  # a PoP was lost while the controller was away
    SPLIT = "split"  # one of its uplinks fell silent, or a host beside it


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something a host did without being told; it stays until an order advertises the same.

    Attributes:
        kind: what happened.
        about: the lost PoP (``cover``), or the silent uplink or host (``split``).
        prefixes: what is advertised in addition.
        since: when it began.
    """

    kind: DeedKind
    about: str
    prefixes: tuple[str, ...]
    since: float = 0.0


class BrakeKind(StrEnum):
    """What an operator on the host asked for, without broker or controller."""

    HOLD = "hold"  # what is on the wire stays, whatever is ordered
    WITHDRAW = "withdraw"  # this host advertises nothing


class Brake(msgspec.Struct, frozen=True, kw_only=True):
    """A break-glass command in force; remembered over restarts until it is released."""

    kind: BrakeKind
    reason: str
    since: float = 0.0


class Report(Body, frozen=True, tag="report", kw_only=True):
    """The whole state of one host (retained); sent on every change and periodically.

    ``deeds`` is what it advertises beyond its order, and why; ``load`` the larger of its CPU's and
    its busiest uplink's, as a share of what they can carry; ``keeps`` the shared prefixes it took
    the keeper's role of.
    """

    instance: str
    sessions: tuple[Session, ...] = ()
    uplinks: tuple[UplinkState, ...] = ()
    services: tuple[Fitness, ...] = ()
    wire: tuple[Advertisement, ...] = ()
    terminated: tuple[str, ...] = ()
    default_uplink: Mapping[Family, str] = {}
    order_epoch: Count = 0
    order_generation: Count = 0
    deeds: tuple[Deed, ...] = ()
    brake: Brake | None = None
    load: float = 0.0
    keeps: tuple[str, ...] = ()


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One path from this watcher: the PoP, the uplink and family it was probed at, up or not.

    ``host`` is the host that was probed; empty from watchers that know one host per PoP.
    """

    pop: str
    uplink: str
    family: Family
    up: bool
    since: float = 0.0
    host: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What another host said of itself in its last probe reply.

    Attributes:
        voice: false: its agent is silent, only its responder answers; what it said is old.
        switched: its dead man's switch has withdrawn what its failed service was behind.
        fit: services that pass their checks there without doubt.
    """

    pop: str
    host: str
    voice: bool = True
    switched: bool = False
    fit: tuple[str, ...] = ()


class Sightings(Body, frozen=True, tag="sightings", kw_only=True):
    """What one watcher sees.

    Attributes:
        seen: every watched path, up or not.
        witnesses: observed prefix -> PoPs that answered at its witness address lately.
        paused: the watcher's own loop stood still; its judgement starts anew.
        said: what the watched hosts said of themselves.
    """

    instance: str
    seen: tuple[Sighting, ...]
    witnesses: Mapping[str, tuple[str, ...]] = {}
    paused: bool = False
    said: tuple[Said, ...] = ()


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
    proven: Count = 0


class NameserverReport(Body, frozen=True, tag="nameserver-report", kw_only=True):
    """The state of one nameserver (retained): what it answers now."""

    instance: str
    running: bool
    steering_epoch: Count = 0
    steering_generation: Count = 0
    map_epoch: Count = 0
    map_generation: Count = 0
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
