"""The small Internet that every lab stands on: who connects to whom, and who owns which addresses.

Two tier-1 transits (t1, t2) peer with each other and sell transit to all others. PoPs buy from
two of those others each. Every transit owns provider space that it forwards as an aggregate
(10.N.0.0/16, fd00:N::/48); a PoP's uplink network is cut out of its provider's space, so that
identity addresses are reachable whatever happens to the steered prefixes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

Relation = Literal["customer", "peer", "provider", "pop", "attached"]

POP_ASN = 64500
STEERED_V4 = ("198.18.0.0/16", "198.19.254.0/23")
STEERED_V6 = ("2001:db8:1000::/36", "2001:db8:a::/47")
ANYCAST = {"v4": "198.19.254.0/23", "v6": "2001:db8:a::/47"}
ANYCAST_ADDRESS = {"v4": "198.19.254.1", "v6": "2001:db8:a::1"}
COVER_RED = {"v4": "198.18.0.0/17", "v6": "2001:db8:1000::/37"}
COVER_BLUE = {"v4": "198.18.128.0/17", "v6": "2001:db8:1800::/37"}
Colour = Literal["red", "blue"]


class Uplink(msgspec.Struct, frozen=True):
    """A PoP's uplink `name` on `interface` to transit number `transit`."""

    name: str
    interface: str
    transit: int


class Pop(msgspec.Struct, frozen=True):
    """A PoP: `number` names its uplink networks, `slot` its prefixes within its colour's cover.

    With several `hosts` the uplinks are those of its own router (`attachments`).
    """

    name: str
    number: int
    colour: Colour
    slot: int
    city: str
    country: str
    lat: float
    lon: float
    uplinks: tuple[Uplink, ...]
    nameserver: bool
    hosts: int = 1

    @property
    def home(self) -> dict[str, str]:
        """This PoP's own prefixes: a /22 and a /46."""
        third = 4 * self.slot + (128 if self.colour == "blue" else 0)
        group = (0x1800 if self.colour == "blue" else 0x1000) + 4 * self.slot
        return {"v4": f"198.18.{third}.0/22", "v6": f"2001:db8:{group:x}::/46"}

    @property
    def service_address(self) -> dict[str, str]:
        """The services' address inside this PoP's own prefixes (host 10)."""
        v4, v6 = self.home["v4"], self.home["v6"]
        return {"v4": v4.replace(".0/22", ".10"), "v6": v6.replace("::/46", "::a")}

    @property
    def covers(self) -> dict[str, str]:
        """The covering prefixes this PoP advertises: never the ones over its own home."""
        return COVER_BLUE if self.colour == "red" else COVER_RED


class Client(msgspec.Struct, frozen=True):
    """A client network behind a transit; `demand` as the fleet file's clients write it."""

    number: int
    transit: int
    lat: float
    lon: float
    demand: str = "5Gbit/s"

    @property
    def name(self) -> str:
        """Node name."""
        return f"c{self.number}"

    @property
    def networks(self) -> dict[str, str]:
        """Its IPv4 and IPv6 prefix."""
        return {"v4": f"198.19.{self.number}.0/24", "v6": f"2001:db8:c{self.number:02x}::/48"}


class Internet(msgspec.Struct, frozen=True):
    """Everything `three_pops` and `pops` are made from."""

    name: str
    transits: int
    pops: tuple[Pop, ...]
    clients: tuple[Client, ...]

    def transit_pairs(self) -> Iterator[tuple[int, int, int]]:
        """`(k, upper, lower)`: network number and the two transits; `(1, 1, 2)` is the peering."""
        yield 1, 1, 2
        k = 2
        for upper in (1, 2):
            for lower in range(3, self.transits + 1):
                yield k, upper, lower
                k += 1


def asn_of(transit: int) -> int:
    """AS number of transit tN."""
    return 64600 + transit


def provider_space(transit: int) -> dict[str, str]:
    """The aggregates that transit tN originates."""
    return {"v4": f"10.{transit}.0.0/16", "v6": f"fd00:{transit:x}::/48"}


def access_network(transit: int, number: int) -> dict[str, tuple[str, str]]:
    """Addresses (transit side, far side) of the access network `number` of transit tN."""
    v4, v6 = f"10.{transit}.{number}", f"fd00:{transit:x}:0:{number:x}:"
    return {"v4": (f"{v4}.1", f"{v4}.2"), "v6": (f"{v6}:1", f"{v6}:2")}


def transit_network(k: int) -> dict[str, tuple[str, str]]:
    """Addresses (upper side, lower side) of transit-transit network `k`."""
    v4, v6 = f"172.30.{k}", f"fd00:ff:{k:x}:"
    return {"v4": (f"{v4}.1", f"{v4}.2"), "v6": (f"{v6}:1", f"{v6}:2")}
