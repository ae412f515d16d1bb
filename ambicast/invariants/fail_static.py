"""I8: silence of the controller or the broker changes no advertisement and no answer.

Agents still act on what they see themselves: a service that fails, an uplink or PoP that goes.
So the promise is judged where nothing of that kind happened; then any change came of silence.
Acting takes them a moment, so what is *added* is excused by a cause that stands: prefixes that a
lost PoP had, and parts of what goes through an uplink that does not work. Nothing excuses taking
away.
"""

from __future__ import annotations

from typing import Final

from ambicast.invariants.snapshot import Snapshot
from ambicast.invariants.violation import Violation
from ambicast.model.prefixes import contains

OUTAGE: Final = "a fault of the control plane becomes one of the service, everywhere at once"


def fail_static(before: Snapshot, after: Snapshot) -> Violation | None:
    """The first thing that changed in silence without a cause of its own, or none."""
    if not (before.silent and after.silent) or _causes(before) != _causes(after):
        return None
    for name in sorted(before.pops):
        old, new = before.pops[name], after.pops[name]
        for uplink in sorted({*old.uplinks, *new.uplinks}):
            had, has = _sent(before, name, uplink), _sent(after, name, uplink)
            changed = (had - has) | {each for each in has - had if not _due(before, name, each)}
            if changed:
                detail = f"{name} changed {', '.join(sorted(changed))} on {uplink} in silence"
                return Violation("I8", OUTAGE, detail)
        lost = old.terminated - new.terminated
        if lost:
            detail = f"{name} dropped {', '.join(sorted(lost))} in silence"
            return Violation("I8", OUTAGE, detail)
    changes = sorted(set(before.given()) ^ set(after.given()))
    if changes:
        nameserver, service, group, address = changes[0]
        detail = f"{nameserver} changed {address} for {service}, {group} in silence"
        return Violation("I8", OUTAGE, detail)
    return None


def _sent(snapshot: Snapshot, pop: str, uplink: str) -> frozenset[str]:
    state = snapshot.pops[pop].uplinks.get(uplink)
    return state.advertised if state else frozenset()


def _due(snapshot: Snapshot, pop: str, prefix: str) -> bool:
    """Whether a PoP that is gone, or an uplink that does not work, is reason to add ``prefix``."""
    lost = (each.advertised for each in snapshot.pops.values() if not each.alive)
    links = snapshot.pops[pop].uplinks.values()
    broken = (link.advertised for link in links if not link.working)
    wholes = frozenset().union(*lost, *broken) - snapshot.covering
    return any(contains(whole, prefix) for whole in wholes)


def _causes(snapshot: Snapshot) -> object:
    """All that an agent may react to by itself."""
    return {
        name: (
            pop.alive,
            pop.fit,
            {uplink: (state.working, state.families) for uplink, state in pop.uplinks.items()},
        )
        for name, pop in snapshot.pops.items()
    }
