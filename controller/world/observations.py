"""The closed union of things a controller can learn. Tagged, so that a journal can hold them."""

from __future__ import annotations

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import (
    NameserverReceipt,
    NameserverReport,
    Presence,
    Receipt,
    Report,
    Sightings,
)
from ambicast.model.identifiers import HostName, NameserverName, PopName


class Seen(msgspec.Struct, frozen=True, tag_field="kind"):
    """Something learned; the tag is its name in the journal."""


class HostPresent(Seen, frozen=True, tag="presence"):
    """An agent connected, left, or its last will arrived (a hint only)."""

    pop: PopName
    host: HostName
    presence: Presence


class HostReported(Seen, frozen=True, tag="report"):
    """A host's whole state."""

    pop: PopName
    host: HostName
    report: Report


class HostSighted(Seen, frozen=True, tag="sightings"):
    """What a watcher sees."""

    pop: PopName
    host: HostName
    sightings: Sightings


class HostAnswered(Seen, frozen=True, tag="receipt"):
    """A host's answer to an order."""

    pop: PopName
    host: HostName
    stamp: Stamp
    receipt: Receipt


class NameserverReported(Seen, frozen=True, tag="nameserver-report"):
    """A nameserver's state."""

    nameserver: NameserverName
    report: NameserverReport


class NameserverAnswered(Seen, frozen=True, tag="nameserver-receipt"):
    """A nameserver's answer to steering or a map."""

    nameserver: NameserverName
    stamp: Stamp
    receipt: NameserverReceipt


class DrainAsked(Seen, frozen=True, tag="drain"):
    """The operator wants a PoP empty."""

    pop: PopName
    reason: str


class UndrainAsked(Seen, frozen=True, tag="undrain"):
    """The operator wants a PoP back."""

    pop: PopName
    reason: str


class BusChanged(Seen, frozen=True, tag="bus"):
    """The broker was reached or lost. Losing it changes nothing (I8)."""

    connected: bool


class EpochSeen(Seen, frozen=True, tag="epoch"):
    """An epoch some controller used, from its retained presence."""

    epoch: int


class Tick(Seen, frozen=True, tag="tick"):
    """Time passed; look again."""


Observation = (
    HostPresent
    | HostReported
    | HostSighted
    | HostAnswered
    | NameserverReported
    | NameserverAnswered
    | DrainAsked
    | UndrainAsked
    | BusChanged
    | EpochSeen
    | Tick
)
