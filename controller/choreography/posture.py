"""How one PoP's prefixes and answers stand."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ambicast.model.identifiers import Family, PopName


class Home(StrEnum):
    """What a PoP itself does for its own prefixes, the anycast prefixes and its covers.

    ``HERE`` advertises them; ``LEAVING`` does so with GRACEFUL_SHUTDOWN (RFC 8326), so that
    neighbors look for other routes first; ``AWAY`` advertises nothing but still terminates every
    address; ``DARK`` terminates nothing any more.
    """

    HERE = "here"
    LEAVING = "leaving"
    AWAY = "away"
    DARK = "dark"


class Posture(msgspec.Struct, frozen=True):
    """Who advertises this PoP's prefixes, and who is given its address.

    Attributes:
        home: what the PoP itself does.
        split: depth of the more-specifics the PoP itself advertises beside its prefixes (0: none).
        helpers: other PoPs that advertise its prefixes.
        depth: depth of the more-specifics the helpers advertise beside them (0: none).
        given: share of its client groups that DNS gives its address (0..1).
        families: the families that ``helpers`` and ``given`` speak of; empty: all. In the others
            nobody helps, and all of its client groups are given its address.
        splits: like ``split``, for one family alone; the deeper of the two holds.
        depths: like ``depth``, for one family alone; the deeper of the two holds.
        beside: the depth from which on helpers still advertise shallower more-specifics too,
            until the deeper ones have been observed.
    """

    home: Home = Home.HERE
    split: int = 0
    helpers: tuple[PopName, ...] = ()
    depth: int = 0
    given: float = 1.0
    families: tuple[Family, ...] = ()
    splits: Mapping[Family, int] = {}
    depths: Mapping[Family, int] = {}
    beside: Mapping[Family, int] = {}

    def concerns(self, kind: Family) -> bool:
        """Whether the PoP is away from home (or on its way) in this family, if it is at all."""
        return not self.families or kind in self.families

    def split_in(self, kind: Family) -> int:
        """The depth of its own more-specifics in this family."""
        return max(self.split, self.splits.get(kind, 0))

    def depth_in(self, kind: Family) -> int:
        """The depth of the helpers' more-specifics in this family; 0 where nobody helps."""
        return max(self.depth, self.depths.get(kind, 0)) if self.concerns(kind) else 0

    def helped_in(self, kind: Family) -> range:
        """All depths of the helpers' more-specifics in this family, shallowest first."""
        deepest = self.depth_in(kind)
        return range(min(deepest, self.beside.get(kind, deepest)), deepest + 1)

    def given_in(self, kind: Family) -> float:
        """The share of its client groups that are given its address in this family."""
        return self.given if self.concerns(kind) else 1.0

    def helped_by(self, pop: PopName, kind: Family) -> bool:
        """Whether ``pop`` advertises this PoP's prefixes of that family."""
        return pop in self.helpers and self.concerns(kind)


def change(posture: Posture, **changes: object) -> Posture:
    """A posture with some fields changed."""
    return msgspec.structs.replace(posture, **changes)
