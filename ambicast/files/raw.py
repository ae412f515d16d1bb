"""The fleet file as it is written: the one definition that reader, JSON Schema and docs share.

Field types say what stands in the file (text such as ``20s``), not what code computes with;
:mod:`ambicast.files.building` makes the model of it. A field without default is required, and any
key that is not a field here is a fault.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ambicast.files.forms import FORMS
from ambicast.model.identifiers import Role
from ambicast.model.services import CheckKind

# RFC 5398: for documentation. A file that names no AS of its own gets it, and a warning.
EXAMPLE_ASN = 64500


def _form(name: str) -> Meta:
    form = FORMS[name]
    return Meta(pattern=f"^({form.pattern})$", description=form.allowed, extra={"form": name})


Name = Annotated[str, _form("name")]
Key = Annotated[str, _form("key")]
Text = Annotated[str, _form("text")]
Country = Annotated[str, _form("country")]
Interface = Annotated[str, _form("interface")]
Duration = Annotated[str, _form("duration")]
Rate = Annotated[str, _form("rate")]
Share = Annotated[str, _form("share")]
Price = Annotated[str, _form("price")]
Prefix = Annotated[str, _form("prefix")]
V4 = Annotated[str, _form("v4")]
V6 = Annotated[str, _form("v6")]
AnyAddress = Annotated[str, _form("address")]
DnsName = Annotated[str, _form("dns_name")]
Community = Annotated[str, _form("community")]
UrlPath = Annotated[str, _form("path")]
FileName = Annotated[str, _form("file")]
Asn = Annotated[int, Meta(ge=1, le=4294967294)]
Count = Annotated[int, Meta(ge=1, le=1000000)]
Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Raw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the fleet file."""


class RawTiming(Raw, frozen=True, kw_only=True):
    """How long things take."""

    ttl: Duration = "20s"
    tail: Duration = "2m"
    watch_interval: Duration = "100ms"
    watch_misses: Count = 3
    quorum: Count = 2
    stagger: Duration = "30s"
    settle_down: Duration = "10s"
    shutdown_wait: Duration = "30s"
    hold_addresses: Duration = "1h"
    deadman: Duration = "30s"
    lease: Duration = "3s"


class RawLostAtOnce(Raw, frozen=True, kw_only=True):
    """How many PoPs may vanish within ten seconds before the checks are distrusted."""

    count: Count = 2
    share: Share = "30%"


class RawLimits(Raw, frozen=True, kw_only=True):
    """What automation may do at most."""

    landing_load: Share = "90%"
    change: Share = "30%"
    pops_lost_at_once: RawLostAtOnce = RawLostAtOnce()
    anycast_halves_up_to: Count = 16


class BillingModel(StrEnum):
    """How a provider charges: by the 95th percentile, a flat fee, or nothing (peering)."""

    P95 = "p95"
    FLAT = "flat"
    FREE = "free"


class RawBilling(Raw, frozen=True, kw_only=True):
    """What a provider's transport costs."""

    model: BillingModel
    commit: Rate | None = None
    price: Price | None = None


class RawProvider(Raw, frozen=True, kw_only=True):
    """A neighbor AS."""

    asn: Asn
    billing: RawBilling | None = None
    communities: dict[Key, Community] = {}


class RawPlace(Raw, frozen=True, kw_only=True):
    """Where a PoP is."""

    city: Text
    country: Country
    lat: Latitude
    lon: Longitude


class RawPair(Raw, frozen=True, kw_only=True):
    """One address per family; at least one of the two."""

    v4: V4 | None = None
    v6: V6 | None = None


class RawAdjacency(Raw, frozen=True, kw_only=True):
    """How one host reaches an uplink, where it differs from the uplink's own entry."""

    identity: RawPair
    interface: Interface | None = None
    neighbor: RawPair | None = None


class RawHost(Raw, frozen=True, kw_only=True):
    """A machine in a PoP and what it does."""

    roles: Annotated[tuple[Role, ...], Meta(min_length=1)]
    uplinks: dict[Name, RawAdjacency] = {}


class RawUplink(Raw, frozen=True, kw_only=True):
    """A PoP's adjacency to one provider."""

    provider: Name
    interface: Interface
    neighbor: RawPair
    identity: RawPair
    capacity: Rate
    max_prefixes: Count = 100


class RawPop(Raw, frozen=True, kw_only=True):
    """A place that serves."""

    place: RawPlace
    capacity: Rate
    prefixes: Annotated[tuple[Prefix, ...], Meta(min_length=1)]
    hosts: Annotated[dict[Name, RawHost], Meta(min_length=1)]
    uplinks: Annotated[dict[Name, RawUplink], Meta(min_length=1)]
    min_hosts: Count = 1


class RawAnycast(Raw, frozen=True, kw_only=True):
    """The address every PoP serves, and the prefixes that carry it."""

    v4: V4 | None = None
    v6: V6 | None = None
    prefixes: Annotated[tuple[Prefix, ...], Meta(min_length=1)]


class RawCheck(Raw, frozen=True, kw_only=True):
    """One service check."""

    kind: CheckKind
    port: Port
    path: UrlPath | None = None
    name: DnsName | None = None
    interval: Duration = "300ms"
    fast_interval: Duration = "100ms"
    timeout: Duration = "250ms"
    rise: Count = 3
    fall: Count = 3


class Strategy(StrEnum):
    """How client groups are steered: each to its nearest PoP with room."""

    PERFORMANCE = "performance"


class RawPolicy(Raw, frozen=True, kw_only=True):
    """What the operator wants of a service."""

    strategy: Strategy = Strategy.PERFORMANCE
    min_pops: Count = 1


class RawService(Raw, frozen=True, kw_only=True):
    """A service that every PoP runs."""

    names: Annotated[tuple[DnsName, ...], Meta(min_length=1)]
    anycast: RawAnycast
    unicast_host: Annotated[int, Meta(ge=1)]
    checks: Annotated[tuple[RawCheck, ...], Meta(min_length=1)]
    policy: RawPolicy = RawPolicy()


class RawNameserver(Raw, frozen=True, kw_only=True):
    """A nameserver; by default it answers at the identity addresses of its PoP's uplinks."""

    host: Name
    addresses: tuple[AnyAddress, ...] = ()


class SourceKind(StrEnum):
    """Where client groups come from: a CSV file of prefixes."""

    PREFIXES = "prefixes"


class RawSource(Raw, frozen=True, kw_only=True):
    """One source of client groups."""

    kind: SourceKind
    file: FileName


class RawClients(Raw, frozen=True, kw_only=True):
    """The client groups."""

    sources: tuple[RawSource, ...] = ()


class RawDns(Raw, frozen=True, kw_only=True):
    """The zone that holds the services' names; by default the parent of the first one."""

    zone: DnsName | None = None


class RawFleet(Raw, frozen=True, kw_only=True):
    """The fleet file."""

    fleet: Name
    asn: Asn = EXAMPLE_ASN
    dns: RawDns = RawDns()
    timing: RawTiming = RawTiming()
    limits: RawLimits = RawLimits()
    providers: Annotated[dict[Name, RawProvider], Meta(min_length=1)]
    covering: tuple[Prefix, ...] = ()
    pops: Annotated[dict[Name, RawPop], Meta(min_length=1)]
    services: Annotated[dict[Name, RawService], Meta(min_length=1)]
    nameservers: dict[Name, RawNameserver] = {}
    clients: RawClients = RawClients()


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the fleet file."""
    found = msgspec.json.schema(RawFleet)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
