"""Services: names, addresses, checks, and what the operator wants of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ambicast.model.identifiers import Family, ServiceName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import host


class CheckKind(StrEnum):
    """How a service is checked on its own host."""

    TCP = "tcp"
    HTTP = "http"
    HTTPS = "https"
    DNS = "dns"


class Check(msgspec.Struct, frozen=True):
    """One service check; durations in seconds.

    ``fast_interval`` holds while the outcome is changing, so that ``fall`` failures in a row are
    found within ``interval + (fall - 1) * fast_interval``.
    """

    kind: CheckKind
    port: int
    path: str = "/"
    name: str = ""
    interval: float = 0.3
    fast_interval: float = 0.1
    timeout: float = 0.25
    rise: int = 3
    fall: int = 3


class Anycast(msgspec.Struct, frozen=True):
    """The address every PoP serves, and the prefixes that carry it."""

    addresses: Mapping[Family, str]
    prefixes: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True):
    """What the operator wants: ``performance`` steers each client group to its nearest PoP."""

    strategy: str = "performance"
    min_pops: int = 1


class Service(msgspec.Struct, frozen=True):
    """A service that every PoP of the fleet runs."""

    name: ServiceName
    names: tuple[str, ...]
    anycast: Anycast
    unicast_host: int
    checks: tuple[Check, ...]
    policy: Policy = Policy()

    def address_at(self, pop: Pop, kind: Family) -> str | None:
        """This service's own address at ``pop`` (in the first slice of that family)."""
        slices = pop.prefixes_of(kind)
        return host(slices[0], self.unicast_host) if slices else None
