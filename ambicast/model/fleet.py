"""The whole inventory, immutable, with its cross-references checked before anyone may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ambicast.model.clients import ClientGroup
from ambicast.model.identifiers import (
    Family,
    GroupName,
    HostName,
    NameserverName,
    PopName,
    ProviderName,
    Role,
    ServiceName,
)
from ambicast.model.pops import Pop, Provider
from ambicast.model.prefixes import contains, family
from ambicast.model.services import Service


class Timing(msgspec.Struct, frozen=True):
    """How long things take; seconds.

    Attributes:
        ttl: of every steered answer.
        tail: how long past expiry answers are still used (13 % of connections; failover.md).
        watch_interval: between two probes of one path.
        watch_misses: unanswered probes in a row after which a path counts as lost.
        quorum: how many PoPs must agree that a PoP is gone.
        stagger: between two survivors that leave on a return.
        settle_down: how long a returned PoP must have been fit before anything moves back.
        shutdown_wait: between GRACEFUL_SHUTDOWN (RFC 8326) and the withdrawal.
        hold_addresses: how long addresses stay terminated after their prefix was withdrawn.
        deadman: agent silence after which the bridge checks by itself.
        lease: controller silence after which agents' contingencies are armed.
    """

    ttl: float = 20.0
    tail: float = 120.0
    watch_interval: float = 0.1
    watch_misses: int = 3
    quorum: int = 2
    stagger: float = 30.0
    settle_down: float = 10.0
    shutdown_wait: float = 30.0
    hold_addresses: float = 3600.0
    deadman: float = 30.0
    lease: float = 3.0


class LostAtOnce(msgspec.Struct, frozen=True):
    """More losses than this within ten seconds are a fault of the checks, not of the PoPs."""

    count: int = 2
    share: float = 0.3


class Limits(msgspec.Struct, frozen=True):
    """What automation may do at most; shares of 1."""

    landing_load: float = 0.9
    change: float = 0.3
    pops_lost_at_once: LostAtOnce = LostAtOnce()
    anycast_halves_up_to: int = 16


class Nameserver(msgspec.Struct, frozen=True):
    """A nameserver on a PoP host; ``addresses`` are outside every steered prefix (I14)."""

    name: NameserverName
    pop: PopName
    host: HostName
    addresses: tuple[str, ...]


class Fleet(msgspec.Struct, frozen=True):
    """PoPs, services, client groups and the rules that bind them."""

    name: str
    asn: int
    zone: str
    timing: Timing
    limits: Limits
    providers: Mapping[ProviderName, Provider]
    covering: tuple[str, ...]
    pops: Mapping[PopName, Pop]
    services: Mapping[ServiceName, Service]
    nameservers: Mapping[NameserverName, Nameserver]
    clients: Mapping[GroupName, ClientGroup]

    def hosts(self) -> Iterator[tuple[Pop, HostName]]:
        """Every (PoP, host) pair, in a fixed order."""
        for name in sorted(self.pops):
            for host in sorted(self.pops[name].hosts):
                yield self.pops[name], host

    def pop_of(self, host: HostName) -> Pop:
        """The PoP a host stands in."""
        return next(pop for pop, name in self.hosts() if name == host)

    def bgp_hosts(self, pop: PopName) -> tuple[HostName, ...]:
        """The hosts of ``pop`` that speak BGP."""
        return self.pops[pop].hosts_with(Role.BGP)

    def covers_at(self, pop: PopName) -> tuple[str, ...]:
        """The covering prefixes ``pop`` advertises in normal times.

        A PoP's own cover would go stale with it, so a cover over its prefixes is left to the
        others (red and blue covers), unless there is no other PoP outside that cover.
        """
        mine = self.pops[pop]
        found = []
        for cover in self.covering:
            over_me = any(contains(cover, prefix) for prefix in mine.prefixes)
            outside = [p for p in self.pops.values() if not _covered(cover, p)]
            if not over_me or not outside:
                found.append(cover)
        return tuple(found)

    def anycast_prefixes(self) -> tuple[str, ...]:
        """The anycast service prefixes of all services, sorted."""
        every = {
            prefix for service in self.services.values() for prefix in service.anycast.prefixes
        }
        return tuple(sorted(every))

    def service_addresses(self) -> tuple[str, ...]:
        """Every address a PoP may ever attract: all anycast and all PoPs' own addresses."""
        found: set[str] = set()
        for service in self.services.values():
            found.update(service.anycast.addresses.values())
            for pop in self.pops.values():
                own = (service.address_at(pop, kind) for kind in Family)
                found.update(each for each in own if each)
        return tuple(sorted(found))

    def home_of(self, prefix: str) -> PopName | None:
        """The PoP whose own prefix contains ``prefix`` (or is it), or none (anycast, cover)."""
        for pop in self.pops.values():
            if any(contains(own, prefix) for own in pop.prefixes):
                return pop.name
        return None

    def steered(self) -> tuple[str, ...]:
        """Every steered prefix in its normal length, sorted."""
        own = {prefix for pop in self.pops.values() for prefix in pop.prefixes}
        return tuple(sorted(own | set(self.anycast_prefixes()) | set(self.covering)))


def _covered(cover: str, pop: Pop) -> bool:
    return any(
        contains(cover, prefix) for prefix in pop.prefixes if family(prefix) is family(cover)
    )
