"""What never changes while a fleet file holds: who may advertise which shared prefix, and such.

Computed once per fleet: orders are derived many times a second, for hundreds of PoPs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName, UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import contains, family, length, network
from controller.planning.remembering import Last


class Link(NamedTuple):
    """One uplink: its name, the families it speaks, and how many prefixes of each it takes."""

    name: UplinkName
    families: frozenset[Family]
    most: int


class Layout(msgspec.Struct, frozen=True):
    """One fleet's fixed facts.

    Attributes:
        covers: PoP -> the covering prefixes it advertises.
        own: PoP -> family -> its own prefixes.
        anycast: family -> the anycast prefixes.
        shared: all anycast and covering prefixes, sorted.
        addresses: every service address, sorted.
        small: few enough PoPs for anycast more-specifics.
        links: PoP -> its uplinks, sorted by name.
        homes: own prefix -> its PoP.
        lengths: the lengths of own prefixes, per family.
    """

    covers: Mapping[PopName, tuple[str, ...]]
    own: Mapping[PopName, Mapping[Family, tuple[str, ...]]]
    anycast: Mapping[Family, tuple[str, ...]]
    shared: tuple[str, ...]
    addresses: tuple[str, ...]
    small: bool
    links: Mapping[PopName, tuple[Link, ...]]
    homes: Mapping[str, PopName]
    lengths: Mapping[Family, tuple[int, ...]]

    def shares(self, pop: PopName, prefix: str) -> bool:
        """Whether ``pop`` is one of those that advertise the shared ``prefix``."""
        return prefix in self.anycast[family(prefix)] or prefix in self.covers[pop]

    def home_of(self, prefix: str) -> tuple[PopName, str] | None:
        """The PoP whose own prefix contains ``prefix``, and that prefix; or none."""
        if prefix in self.homes:
            return self.homes[prefix], prefix
        for size in self.lengths[family(prefix)]:
            if size < length(prefix):
                around = str(network(prefix).supernet(new_prefix=size))
                if around in self.homes:
                    return self.homes[around], around
        return None

    def steers(self, prefix: str) -> bool:
        """Whether the fleet has ``prefix``, or what it is a part of.

        A covering prefix is never advertised in parts: what lies in one, and in no PoP's own
        prefix, is of a PoP that has left.
        """
        if prefix in self.shared or self.home_of(prefix) is not None:
            return True
        return any(contains(whole, prefix) for whole in self.anycast[family(prefix)])


@Last
def layout(fleet: Fleet) -> Layout:
    """The facts of ``fleet``."""
    under = {
        cover: {
            name
            for name, pop in fleet.pops.items()
            if any(contains(cover, prefix) for prefix in pop.prefixes)
        }
        for cover in fleet.covering
    }
    anycast = fleet.anycast_prefixes()
    return Layout(
        covers={
            # A PoP's own cover would go stale with it (Fleet.covers_at).
            name: tuple(
                cover
                for cover in fleet.covering
                if name not in under[cover] or len(under[cover]) == len(fleet.pops)
            )
            for name in fleet.pops
        },
        own={
            name: {kind: pop.prefixes_of(kind) for kind in Family}
            for name, pop in fleet.pops.items()
        },
        anycast={kind: tuple(p for p in anycast if family(p) is kind) for kind in Family},
        shared=tuple(sorted({*anycast, *fleet.covering})),
        addresses=fleet.service_addresses(),
        small=len(fleet.pops) <= fleet.limits.anycast_halves_up_to,
        links={name: tuple(_links(pop)) for name, pop in fleet.pops.items()},
        homes={prefix: name for name, pop in fleet.pops.items() for prefix in pop.prefixes},
        lengths={
            kind: tuple(
                sorted({length(p) for pop in fleet.pops.values() for p in pop.prefixes_of(kind)})
            )
            for kind in Family
        },
    )


def _links(pop: Pop) -> Iterator[Link]:
    for name, link in sorted(pop.uplinks.items()):
        yield Link(name, frozenset(link.neighbor), link.max_prefixes)
