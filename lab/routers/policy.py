"""What a transit does, before anyone says it in a router's own language.

Routes are preferred and exported the way money flows (Gao and Rexford, 2001): from customers
before peers before providers; to customers everything, to peers and providers only what customers
(or the transit itself) brought. PoPs are customers that are additionally held to the steered
space and to lengths the Internet accepts (/24, /48).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ambicast.model.quantities import duration
from lab.topology.internet import Relation

Family = Literal["v4", "v6"]
FAMILIES: Final[tuple[Family, Family]] = ("v4", "v6")
LOCAL_PREFERENCE: Final[dict[Relation, int]] = {
    "pop": 300,
    "customer": 300,
    "peer": 200,
    "provider": 100,
}
LONGEST: Final[dict[Family, int]] = {"v4": 24, "v6": 48}
CUSTOMER_TAG: Final = 300  # community <asn>:300 marks what may go to peers and providers
CONNECT_RETRY_S: Final = 1
BFD_MULTIPLIER: Final = 3


def bfd_interval_ms(detection: str) -> int:
    """Milliseconds between BFD packets for a detection time such as `300ms`; `off` is 0."""
    return 0 if detection == "off" else round(duration(detection) * 1000 / BFD_MULTIPLIER)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One neighbor of a transit; two BGP sessions, one per family.

    Attributes:
        relation: what the neighbor is to this transit.
        interface: towards the neighbor.
        local, remote: addresses by family.
    """

    name: str
    relation: Relation
    asn: int
    interface: str
    local: dict[str, str]
    remote: dict[str, str]

    @property
    def is_customer(self) -> bool:
        """Whether this neighbor pays: gets all routes, and what it sends goes everywhere."""
        return self.relation in ("customer", "pop")


class Transit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a transit's router is told.

    Attributes:
        originated: by family, the prefixes it advertises as its own.
        steered: by family, the space that PoPs may advertise from.
        hold_s: BGP hold time (RFC 4271, 4.2); keepalives go every third of it.
        advertisement_interval_s: MinRouteAdvertisementIntervalTimer (RFC 4271, 9.2.1.1) on every
            session; only FRR has one.
        bfd_ms: milliseconds between BFD packets to and from PoPs (RFC 5880), 0 is no BFD.
        multipath: share flows over equal routes (ECMP) instead of choosing one.
    """

    name: str
    asn: int
    router_id: str
    sessions: tuple[Session, ...]
    originated: dict[str, tuple[str, ...]]
    steered: dict[str, tuple[str, ...]]
    hold_s: int
    advertisement_interval_s: int = 0
    bfd_ms: int = 0
    multipath: bool = False
