"""How one PoP's prefixes and answers stand."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ambicast.model.identifiers import PopName


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
    """

    home: Home = Home.HERE
    split: int = 0
    helpers: tuple[PopName, ...] = ()
    depth: int = 0
    given: float = 1.0


def change(posture: Posture, **changes: object) -> Posture:
    """A posture with some fields changed."""
    return msgspec.structs.replace(posture, **changes)
