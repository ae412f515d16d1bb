"""What never changes while a fleet file holds: who may advertise which shared prefix, and such.

Computed once per fleet: orders are derived many times a second, for hundreds of PoPs.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from ambicast.model.prefixes import contains, family
from controller.planning.remembering import Last


class Layout(msgspec.Struct, frozen=True):
    """One fleet's fixed facts.

    Attributes:
        covers: PoP -> the covering prefixes it advertises.
        own: PoP -> family -> its own prefixes.
        anycast: family -> the anycast prefixes.
        shared: all anycast and covering prefixes, sorted.
        addresses: every service address, sorted.
        small: few enough PoPs for anycast more-specifics.
    """

    covers: Mapping[PopName, tuple[str, ...]]
    own: Mapping[PopName, Mapping[Family, tuple[str, ...]]]
    anycast: Mapping[Family, tuple[str, ...]]
    shared: tuple[str, ...]
    addresses: tuple[str, ...]
    small: bool

    def shares(self, pop: PopName, prefix: str) -> bool:
        """Whether ``pop`` is one of those that advertise the shared ``prefix``."""
        return prefix in self.anycast[family(prefix)] or prefix in self.covers[pop]


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
    )
