"""How a PoP's hosts hang on the Internet: straight on its transits, or behind a router of its own.

A PoP with one host has no router: the host speaks to every transit. A PoP with several has one,
`<pop>r`, an AS of its own that takes the hosts' routes, shares flows over them (ECMP) and passes
the routes on. To its hosts it is their only uplink, `edge`; their networks are cut out of the
first transit's provider space, which forwards them to the router.
"""

from __future__ import annotations

from typing import Final

import msgspec

from lab.topology.internet import Pop, access_network, asn_of

EDGE: Final = "edge"
_FIRST_EDGE_ASN: Final = 64700
_FIRST_EDGE_NETWORK: Final = 100


class Attached(msgspec.Struct, frozen=True):
    """One uplink of one host.

    Attributes:
        provider: the neighbor's name in the fleet file; `asn` is its AS.
        neighbor: the node at the other end.
        network: family -> (the neighbor's address, the host's).
    """

    name: str
    provider: str
    asn: int
    neighbor: str
    interface: str
    network: dict[str, tuple[str, str]]


class Host(msgspec.Struct, frozen=True):
    """One machine of a PoP: its node in the lab, its name in the fleet file, its uplinks."""

    node: str
    name: str
    uplinks: tuple[Attached, ...]

    @property
    def identity(self) -> dict[str, dict[str, str]]:
        """Uplink -> family -> where this host is probed."""
        return {
            each.name: {family: ends[1] for family, ends in each.network.items()}
            for each in self.uplinks
        }


def router_of(pop: Pop) -> str | None:
    """The node of the PoP's own router, where it has one."""
    return f"{pop.name}r" if pop.hosts > 1 else None


def edge_asn(pop: Pop) -> int:
    """The AS of the PoP's own router."""
    return _FIRST_EDGE_ASN + pop.number


def hosts_of(pop: Pop) -> tuple[Host, ...]:
    """Every host of the PoP; its node is named ams, ams2, ..., its host ams-1, ams-2, ..."""
    return tuple(_host(pop, place) for place in range(pop.hosts))


def _host(pop: Pop, place: int) -> Host:
    node = pop.name if place == 0 else f"{pop.name}{place + 1}"
    name = f"{pop.name}-{place + 1}"
    router = router_of(pop)
    if router is None:
        uplinks = tuple(
            Attached(
                u.name,
                f"t{u.transit}",
                asn_of(u.transit),
                f"t{u.transit}",
                u.interface,
                access_network(u.transit, pop.number),
            )
            for u in pop.uplinks
        )
        return Host(node, name, uplinks)
    network = access_network(pop.uplinks[0].transit, edge_network(pop, place))
    edge = Attached(EDGE, f"{pop.name}-edge", edge_asn(pop), router, "eth1", network)
    return Host(node, name, (edge,))


def edge_network(pop: Pop, place: int) -> int:
    """Which access network of the PoP's first transit lies between its router and a host."""
    return _FIRST_EDGE_NETWORK + 8 * pop.number + place
