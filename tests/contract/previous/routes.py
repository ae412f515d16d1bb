"""What a PoP tells its neighbors: one advertisement = prefix x uplink x attributes."""

from __future__ import annotations

import msgspec

# RFC 8326: receivers lower LOCAL_PREF before the session or route goes away.
GRACEFUL_SHUTDOWN = "65535:0"


class Attributes(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """Path attributes of an advertisement; next-hop is always the PoP itself.

    Attributes:
        prepend: extra copies of the own AS number in AS_PATH (0 = none).
        med: MULTI_EXIT_DISC, or none.
        communities: RFC 1997 communities as ``"asn:value"``, sorted.
        large_communities: RFC 8092 communities as ``"asn:x:y"``, sorted.
    """

    prepend: int = 0
    med: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()


class Advertisement(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One prefix, advertised through one uplink of the PoP the order is addressed to."""

    prefix: str
    uplink: str
    attributes: Attributes = Attributes()
