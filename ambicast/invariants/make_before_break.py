"""I3: the replacement is advertised and observed before the old route goes.

Judged per address that clients use or may still hold: a prefix nobody uses may simply go. What
an unfit service or a dead PoP loses is an emergency, which is exempt.
"""

from __future__ import annotations

from typing import Final

from ambicast.invariants.landing import Landing, landing
from ambicast.invariants.snapshot import Snapshot
from ambicast.invariants.violation import Violation
from ambicast.model.prefixes import length

OUTAGE: Final = "clients lose their route while the Internet hunts for another (124 s in the mean)"


def make_before_break(before: Snapshot, after: Snapshot) -> Violation | None:
    """The first address whose route was taken away too early between two snapshots, or none."""
    for address in sorted(before.in_use()):
        old = landing(before, address)
        if old is None:
            continue
        for name in old.pops:
            if old.prefix in after.pops[name].advertised or _emergency(before, name, address):
                continue
            why = _why_not(before, old, landing(after, address), name)
            if why is not None:
                detail = f"{name} withdrew {old.prefix}, which carries {address}: {why}"
                return Violation("I3", OUTAGE, detail)
    return None


def _emergency(before: Snapshot, name: str, address: str) -> bool:
    pop = before.pops[name]
    service = before.service_of(address)
    return not pop.alive or (service is not None and service not in pop.fit)


def _why_not(before: Snapshot, old: Landing, new: Landing | None, name: str) -> str | None:
    if new is None:
        return "nobody else advertises it"
    if length(new.prefix) < length(old.prefix):
        return f"only the less specific {new.prefix} is left"
    seen = before.observed.get(new.prefix, frozenset())
    ready = [
        other
        for other in new.pops
        if other in seen and new.prefix in before.pops[other].advertised
        if before.pops[other].alive and (other != name or new.prefix != old.prefix)
    ]
    if not ready:
        return f"{new.prefix} from {', '.join(new.pops)} had not been observed"
    return None
