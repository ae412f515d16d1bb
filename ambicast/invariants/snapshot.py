"""What the invariants judge: one moment of the fleet, as its decider could know it.

A snapshot is made by whoever has the knowledge (controller, simulation, test). It holds no
clocks and no history; a promise about a change takes the snapshots before and after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ambicast.model.identifiers import Family


class Stamp(msgspec.Struct, frozen=True, order=True):
    """Epoch and generation of the last order a host accepted; the newer one is the greater."""

    epoch: int = 0
    generation: int = 0


class Uplink(msgspec.Struct, frozen=True, kw_only=True):
    """One uplink: what is on its wire, and what its neighbor takes.

    Attributes:
        advertised: prefixes on the wire.
        families: families its sessions negotiated.
        max_prefixes: what the neighbor accepts per family before it ends the session.
        working: whether carrier is there and probes through it come back.
    """

    advertised: frozenset[str] = frozenset()
    families: frozenset[Family] = frozenset(Family)
    max_prefixes: int = 100
    working: bool = True


class PopState(msgspec.Struct, frozen=True, kw_only=True):
    """One PoP.

    Attributes:
        alive: seen by the quorum.
        fit: services that pass their checks here.
        terminated: service addresses that its hosts hold.
        uplinks: by name.
        allowed: prefixes of its local allow-list.
        authorised: prefixes with a ROA for the fleet's AS; none where ROAs are not watched.
    """

    alive: bool = True
    fit: frozenset[str] = frozenset()
    terminated: frozenset[str] = frozenset()
    uplinks: Mapping[str, Uplink] = {}
    allowed: frozenset[str] = frozenset()
    authorised: frozenset[str] | None = None

    @property
    def advertised(self) -> frozenset[str]:
        """What leaves through at least one uplink."""
        return frozenset().union(*(uplink.advertised for uplink in self.uplinks.values()))


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet at one moment.

    Attributes:
        pops: by name. A dead PoP's ``advertised`` is what the Internet may still believe.
        services: service -> all its addresses (anycast, and its own at each PoP).
        covering: the covering prefixes, which no answer may rely on.
        observed: prefix -> PoPs it was seen to lead to; where all PoPs advertise a prefix and
            nobody could see it, the PoPs that sent it on an established session.
        answers: nameserver -> service -> client group -> addresses, of living nameservers.
        held: addresses that clients may still use, although no answer gives them any more
            (given less than TTL and tail ago, or with measured load).
        stamps: host -> stamp of the last order it accepted.
        silent: neither controller nor broker has been heard since before this moment.
    """

    pops: Mapping[str, PopState]
    services: Mapping[str, frozenset[str]]
    covering: frozenset[str] = frozenset()
    observed: Mapping[str, frozenset[str]] = {}
    answers: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {}
    held: frozenset[str] = frozenset()
    stamps: Mapping[str, Stamp] = {}
    silent: bool = False

    def given(self) -> Iterator[tuple[str, str, str, str]]:
        """Every answer: nameserver, service, client group, address; in a fixed order."""
        for nameserver in sorted(self.answers):
            for service, groups in sorted(self.answers[nameserver].items()):
                for group, addresses in sorted(groups.items()):
                    for address in addresses:
                        yield nameserver, service, group, address

    def in_use(self) -> frozenset[str]:
        """Addresses that clients are given or may still hold."""
        return self.held | {address for _, _, _, address in self.given()}

    def service_of(self, address: str) -> str | None:
        """The service an address belongs to, or none."""
        owners = (name for name, mine in sorted(self.services.items()) if address in mine)
        return next(owners, None)
