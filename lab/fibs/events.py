"""What a FIB monitor reports."""

from __future__ import annotations

from typing import Literal

import msgspec

What = Literal["route-added", "route-changed", "route-removed", "link-up", "link-down"]


class FibEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change in one node's kernel.

    Attributes:
        t_ns: when it was read, CLOCK_REALTIME in nanoseconds.
        prefix: of a route; None for links.
        gateway: next hop's address, None where the destination is on the link.
        interface: the route's, or the link that changed.
    """

    t_ns: int
    node: str
    what: What
    prefix: str | None = None
    gateway: str | None = None
    interface: str | None = None


class Path(msgspec.Struct, frozen=True):
    """Where packets for an address go, router by router.

    Attributes:
        outcome: `local`: a node terminates the address; `loop`; `blackhole`: some node has no
            route, refuses, or would send it into a link that is down.
        nodes: visited, in order, the start first.
        end: the node that terminates the address; None unless `local`.
    """

    outcome: Literal["local", "loop", "blackhole"]
    nodes: tuple[str, ...]
    end: str | None = None
