"""I12: no host goes back to an older order, and an answer waits for the route it relies on."""

from __future__ import annotations

from typing import Final

from ambicast.invariants.landing import landing
from ambicast.invariants.snapshot import Snapshot
from ambicast.invariants.violation import Violation

OUTAGE: Final = "a controller of yesterday undoes today's takeover, or DNS runs ahead of BGP"


def ordered_and_fenced(before: Snapshot, after: Snapshot) -> Violation | None:
    """The first host or answer that went out of order between two snapshots, or none."""
    for host, old in sorted(before.stamps.items()):
        new = after.stamps.get(host, old)
        if new < old:
            detail = (
                f"{host} took order {new.epoch}.{new.generation}"
                f" after {old.epoch}.{old.generation}"
            )
            return Violation("I12", OUTAGE, detail)
    known = set(before.given())
    for answer in after.given():
        if answer not in known:
            nameserver, service, group, address = answer
            why = _why_not(before, address)
            if why is not None:
                detail = f"{nameserver} began to give {address} ({service}) to {group}, {why}"
                return Violation("I12", OUTAGE, detail)
    return None


def _why_not(before: Snapshot, address: str) -> str | None:
    """What the answer should have waited for: an advertisement that had been observed."""
    where = landing(before, address)
    if where is None:
        return "before any PoP advertised it"
    if where.prefix in before.covering:
        return f"before any PoP advertised more than the covering prefix {where.prefix}"
    seen = before.observed.get(where.prefix, frozenset())
    if not seen.intersection(where.pops):
        return f"before {where.prefix} from {', '.join(where.pops)} had been observed"
    return None
