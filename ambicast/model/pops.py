"""PoPs, their hosts and uplinks."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.identifiers import (
    Family,
    HostName,
    PopName,
    ProviderName,
    Role,
    UplinkName,
)
from ambicast.model.prefixes import family


class Place(msgspec.Struct, frozen=True):
    """Where a PoP is; latitude and longitude in degrees, north and east positive."""

    city: str
    country: str
    lat: float
    lon: float


class Provider(msgspec.Struct, frozen=True):
    """A neighbor AS that sells or exchanges transport; ``communities``: meaning -> value."""

    name: ProviderName
    asn: int
    communities: Mapping[str, str] = {}


class Uplink(msgspec.Struct, frozen=True):
    """A PoP's adjacency to one neighbor AS.

    ``neighbor`` and ``identity`` map a family to an address; identity addresses are where watchers
    probe this PoP and lie outside every steered prefix. ``capacity`` is in bits per second.
    """

    name: UplinkName
    provider: ProviderName
    interface: str
    neighbor: Mapping[Family, str]
    identity: Mapping[Family, str]
    capacity: float
    max_prefixes: int

    @property
    def families(self) -> tuple[Family, ...]:
        """The families this uplink speaks, v4 first."""
        return tuple(kind for kind in Family if kind in self.neighbor)


class Adjacency(msgspec.Struct, frozen=True):
    """How one host of a PoP reaches an uplink, where it differs from the uplink's own entry."""

    interface: str
    neighbor: Mapping[Family, str]
    identity: Mapping[Family, str]


class Pop(msgspec.Struct, frozen=True):
    """A place that serves (RFC 4786 "anycast node"); ``prefixes`` are its own, in slices.

    ``adjacencies`` holds, per host, the uplinks that this host reaches in its own way: a PoP with
    several hosts has one neighbor (its router) and as many identity addresses as hosts.
    """

    name: PopName
    place: Place
    capacity: float
    prefixes: tuple[str, ...]
    hosts: Mapping[HostName, tuple[Role, ...]]
    uplinks: Mapping[UplinkName, Uplink]
    min_hosts: int = 1
    adjacencies: Mapping[HostName, Mapping[UplinkName, Adjacency]] = {}

    def at(self, host: HostName) -> Pop:
        """This PoP with its uplinks as ``host`` reaches them."""
        own = self.adjacencies.get(host, {})
        uplinks = {
            name: msgspec.structs.replace(
                uplink,
                interface=own[name].interface,
                neighbor=own[name].neighbor,
                identity=own[name].identity,
            )
            if name in own
            else uplink
            for name, uplink in self.uplinks.items()
        }
        return msgspec.structs.replace(self, uplinks=uplinks)

    def prefixes_of(self, kind: Family) -> tuple[str, ...]:
        """The own prefixes of one family."""
        return tuple(prefix for prefix in self.prefixes if family(prefix) is kind)

    def hosts_with(self, role: Role) -> tuple[HostName, ...]:
        """The hosts that carry ``role``, sorted by name."""
        return tuple(sorted(name for name, roles in self.hosts.items() if role in roles))
