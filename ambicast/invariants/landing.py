"""Where a packet to an address goes: to whoever advertises the longest prefix over it.

This is the Internet's own rule (RFC 1812 section 5.2.4.3), seen from nowhere in particular: of
several PoPs that advertise that prefix, each has a catchment, so every one of them must serve.
"""

from __future__ import annotations

import msgspec

from ambicast.invariants.snapshot import Snapshot
from ambicast.model.prefixes import contains, length


class Landing(msgspec.Struct, frozen=True):
    """The longest advertised prefix over an address, and the PoPs that advertise it, sorted."""

    prefix: str
    pops: tuple[str, ...]


def landing(snapshot: Snapshot, address: str) -> Landing | None:
    """Where packets to ``address`` end; none where nobody advertises a prefix over it."""
    over = {
        prefix
        for pop in snapshot.pops.values()
        for prefix in pop.advertised
        if contains(prefix, address)
    }
    if not over:
        return None
    longest = max(over, key=length)
    at = sorted(name for name, pop in snapshot.pops.items() if longest in pop.advertised)
    return Landing(longest, tuple(at))
