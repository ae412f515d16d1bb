"""What the kernel shall hold besides addresses: one way out per uplink, and the default route.

Each uplink has a routing table of its own (100 + its place among the uplinks by name) with one
default route per family, and a rule that sends what has the uplink's identity address as source
there. So a probe or a BGP session from an identity address leaves through that uplink, whatever
the main table says, and a silent uplink cannot be mistaken for a working one.

What clients are answered from (service addresses) follows the main table: one default route of
metric 50 through the preferred uplink. ExaBGP installs none. The default routes a host boots with
(metric 100 and more) stay as they are and hold until an uplink has been preferred.

Everything here carries our own protocol number, so that it is told from what others installed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.identifiers import Family
from ambicast.model.pops import Pop
from ambicast.model.prefixes import address

# Not in /etc/iproute2/rt_protos; the kernel stores and shows it, and never acts on it.
PROTOCOL = 179
MAIN_TABLE = 254
FIRST_TABLE = 100
FIRST_PRIORITY = 1000
METRIC = 50


class Rule(msgspec.Struct, frozen=True, order=True):
    """``from source lookup table``."""

    family: Family
    source: str
    table: int
    priority: int


class Route(msgspec.Struct, frozen=True, order=True):
    """A default route."""

    family: Family
    table: int
    metric: int
    interface: str
    gateway: str

    @property
    def place(self) -> tuple[Family, int, int]:
        """What a replacing route must share with the one it replaces."""
        return self.family, self.table, self.metric


def rules(pop: Pop) -> frozenset[Rule]:
    """The rules of every uplink's identity addresses."""
    return frozenset(
        Rule(family, str(address(identity)), FIRST_TABLE + place, FIRST_PRIORITY + place)
        for place, (_, uplink) in enumerate(sorted(pop.uplinks.items()))
        for family, identity in uplink.identity.items()
    )


def routes(pop: Pop, preferred: Mapping[Family, str]) -> frozenset[Route]:
    """The default route in every uplink's table, and that in the main table."""
    found = set()
    for place, (_, uplink) in enumerate(sorted(pop.uplinks.items())):
        for family, neighbor in uplink.neighbor.items():
            gateway = str(address(neighbor))
            # A metric in every table: without one, IPv6 would store 1024 and never look equal.
            found.add(Route(family, FIRST_TABLE + place, METRIC, uplink.interface, gateway))
            if preferred.get(family) == uplink.name:
                found.add(Route(family, MAIN_TABLE, METRIC, uplink.interface, gateway))
    return frozenset(found)
