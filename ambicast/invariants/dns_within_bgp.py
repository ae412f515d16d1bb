"""I1: every answer leads to a living PoP that terminates the address and passes its check."""

from __future__ import annotations

from typing import Final

from ambicast.invariants.landing import landing
from ambicast.invariants.snapshot import Snapshot
from ambicast.invariants.violation import Violation

OUTAGE: Final = "clients are sent to an address where nobody serves them, for a whole TTL"


def dns_within_bgp(snapshot: Snapshot) -> Violation | None:
    """The first answer that does not lead to service, or none.

    The covering prefix excuses no answer: it is a safety net, and says nothing of who serves.
    """
    judged: dict[tuple[str, str], str | None] = {}
    for nameserver, service, group, address in snapshot.given():
        at = (service, address)
        if at not in judged:
            judged[at] = _why_not(snapshot, service, address)
        why = judged[at]
        if why is not None:
            detail = f"{nameserver} gives {address} ({service}) to {group}, {why}"
            return Violation("I1", OUTAGE, detail)
    return None


def _why_not(snapshot: Snapshot, service: str, address: str) -> str | None:
    where = landing(snapshot, address)
    if where is None:
        return "which no PoP advertises"
    if where.prefix in snapshot.covering:
        return f"which only the covering prefix {where.prefix} carries"
    for name in where.pops:
        pop = snapshot.pops[name]
        if not pop.alive:
            return f"which leads to {name} by {where.prefix}, and {name} is gone"
        if address not in pop.terminated:
            return f"which leads to {name} by {where.prefix}, and {name} does not terminate it"
        if service not in pop.fit:
            return f"which leads to {name} by {where.prefix}, and {service} is unfit there"
    return None
