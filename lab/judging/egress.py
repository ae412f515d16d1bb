"""By which of its neighbors a PoP's answers leave: what its own kernel would do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from lab.fibs import FibMonitor
from lab.judging.rows import Row
from lab.scenarios.shapes import EgressExpectation
from lab.topology.attachments import hosts_of
from lab.topology.internet import Internet

MS = 1_000_000
FAR = {"v4": "192.0.2.1", "v6": "3fff::1"}  # for documentation: by the default route
Way = tuple[str, str, str]


class EgressSample(msgspec.Struct, frozen=True):
    """(PoP, node, family) -> the node that answers go to first; empty where they go nowhere."""

    t_ns: int
    ways: Mapping[Way, str]


def look(fibs: FibMonitor, internet: Internet, t_ns: int) -> EgressSample:
    """All hosts' default routes now."""
    ways = {}
    for pop in internet.pops:
        for host in hosts_of(pop):
            for family, address in FAR.items():
                nodes = fibs.walk(host.node, address).nodes
                ways[pop.name, host.node, family] = nodes[1] if len(nodes) > 1 else ""
    return EgressSample(t_ns, ways)


def egress(
    wanted: EgressExpectation, found: Sequence[EgressSample], start_ns: int, end_ns: int
) -> Row:
    """How long until all that is meant left by that router, for good."""
    since: int | None = None
    others: set[str] = set()
    for sample in found:
        if not start_ns <= sample.t_ns < end_ns:
            continue
        used = {
            router
            for (pop, _, family), router in sample.ways.items()
            if pop == wanted.pop and wanted.family in (None, family)
        }
        holds = used == {wanted.router}
        since = None if not holds else sample.t_ns if since is None else since
        others |= used - {wanted.router}
    taken = None if since is None else round((since - start_ns) / MS, 1)
    within_ms = wanted.within * 1e3
    return Row(
        text=f"{wanted.pop} answers by {wanted.router} after step {wanted.after}",
        measured=taken,
        bound=f"<= {within_ms:g} ms",
        ok=taken is not None and taken <= within_ms,
        why=f"before, or after all, by {', '.join(sorted(others)) or 'nobody'}",
    )
