"""One BGP session per uplink and transport family; each carries the routes of its own family.

Two sessions rather than one with both families, because an IPv6 route needs an IPv6 next hop
(RFC 2545 section 3), and because a family that stops working must not take the other with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import msgspec

from ambicast.model.identifiers import Family, UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import PrefixError, network


class Neighbor(msgspec.Struct, frozen=True, order=True):
    """One end of a session: the neighbor's address and ours, canonical text.

    ``most``: how many prefixes the neighbor takes before it ends the session.
    """

    uplink: UplinkName
    family: Family
    address: str
    identity: str
    most: int


def neighbors_of(pop: Pop) -> tuple[Neighbor, ...]:
    """Every session of ``pop``, by uplink name, v4 before v6."""
    return tuple(
        Neighbor(
            uplink=uplink.name,
            family=kind,
            address=str(ip_address(uplink.neighbor[kind])),
            identity=str(ip_address(uplink.identity[kind])),
            most=uplink.max_prefixes,
        )
        for _, uplink in sorted(pop.uplinks.items())
        for kind in uplink.families
    )


def by_address(pop: Pop) -> Mapping[str, Neighbor]:
    """The sessions of ``pop`` by the neighbor's address, which is how ExaBGP names them.

    Raises:
        ValueError: two uplinks have a neighbor of the same address.
    """
    found: dict[str, Neighbor] = {}
    for each in neighbors_of(pop):
        if each.address in found:
            raise ValueError(
                f"pop {pop.name}: uplinks {found[each.address].uplink} and {each.uplink} share"
                f" the neighbor {each.address}; every session needs an address of its own"
            )
        found[each.address] = each
    return found


def canonical(prefix: str) -> str:
    """``prefix`` as both sides spell it; unchanged where it is no prefix at all."""
    try:
        return str(network(prefix))
    except PrefixError:
        return prefix
