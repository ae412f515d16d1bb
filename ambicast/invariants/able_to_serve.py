"""I5: a PoP advertises only what it terminates, may advertise, and its neighbors accept."""

from __future__ import annotations

from typing import Final

from ambicast.invariants.snapshot import PopState, Snapshot, Uplink
from ambicast.invariants.violation import Violation
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import contains, family

OUTAGE: Final = "a PoP attracts clients it cannot serve, or loses a session by what it sends"


def able_to_serve(snapshot: Snapshot) -> Violation | None:
    """The first advertisement of a living PoP that it may not make, or none."""
    for name, pop in sorted(snapshot.pops.items()):
        if not pop.alive:
            continue
        for prefix in sorted(pop.advertised):
            why = _why_not(snapshot, pop, prefix)
            if why is not None:
                return Violation("I5", OUTAGE, f"{name} advertises {prefix}, {why}")
        for uplink, state in sorted(pop.uplinks.items()):
            why = _refused(state)
            if why is not None:
                return Violation("I5", OUTAGE, f"{name} sends through {uplink} {why}")
    return None


def _why_not(snapshot: Snapshot, pop: PopState, prefix: str) -> str | None:
    if prefix not in pop.allowed:
        return "which its allow-list does not have"
    if pop.authorised is not None and prefix not in pop.authorised:
        return "which no ROA permits"
    for addresses in snapshot.services.values():
        for address in sorted(addresses - pop.terminated):
            if contains(prefix, address):
                return f"and does not terminate {address}"
    return None


def _refused(uplink: Uplink) -> str | None:
    for kind in Family:
        sent = [prefix for prefix in uplink.advertised if family(prefix) is kind]
        if sent and kind not in uplink.families:
            return f"{min(sent)}, whose family {kind} was not negotiated"
        if len(sent) > uplink.max_prefixes:
            return f"{len(sent)} {kind} prefixes, of {uplink.max_prefixes} accepted"
    return None
