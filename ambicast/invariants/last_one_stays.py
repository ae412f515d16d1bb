"""I7: the last living PoP of a prefix does not withdraw it, whatever its checks say.

Where nobody else advertises it or a prefix over it, withdrawing helps no client: what the checks
say may be wrong, and what is withdrawn certainly does not serve. That PoPs die is no withdrawal.
"""

from __future__ import annotations

from typing import Final

from ambicast.invariants.snapshot import Snapshot
from ambicast.invariants.violation import Violation
from ambicast.model.prefixes import contains

OUTAGE: Final = "a broken check withdraws the whole fleet"


def last_one_stays(before: Snapshot, after: Snapshot) -> Violation | None:
    """The first prefix that its last living PoP withdrew between two snapshots, or none."""
    left = _advertised(after)
    for name, pop in sorted(before.pops.items()):
        if not pop.alive or not after.pops[name].alive:
            continue
        for prefix in sorted(pop.advertised - after.pops[name].advertised):
            if not any(contains(other, prefix) for other in left):
                detail = f"{name} withdrew {prefix}, and nobody else advertises anything over it"
                return Violation("I7", OUTAGE, detail)
    return None


def _advertised(snapshot: Snapshot) -> frozenset[str]:
    living = (pop.advertised for pop in snapshot.pops.values() if pop.alive)
    return frozenset().union(*living)
