"""Which addresses this host terminates: before the first packet comes, until after the last.

Ordered addresses come at once; an advertisement waits for them (see :mod:`desire`). An address
that left the order stays while a route this host told anyone may still lead to it, and an hour
longer, because routes die slowly. A witness address lives as long as the advertisement it proves.
"""

from __future__ import annotations

from collections.abc import Iterable

from agents.advertising.state import Facts, HostState
from ambicast.model.prefixes import contains, witness


def addresses(state: HostState, advertised: Iterable[str]) -> frozenset[str] | None:
    """The whole set to terminate while the prefixes ``advertised`` are; none: change nothing.

    As long as ExaBGP was never attached nobody knows what is advertised: nothing is taken away.
    """
    if state.held is None or state.kernel is None:
        return None
    wanted = frozenset(state.held.order.terminate) | frozenset(state.leaving)
    if state.rib is None:
        return wanted | state.kernel.terminated
    return wanted | {witness(prefix) for prefix in advertised}


def absent(prefix: str, state: HostState, facts: Facts) -> tuple[str, ...]:
    """The addresses inside ``prefix`` that this host should terminate and does not (I5).

    Those of the order; without one, all that any service has anywhere.
    """
    there = state.kernel.terminated if state.kernel else frozenset()
    wanted = state.held.order.terminate if state.held else sorted(facts.table.addresses)
    return tuple(each for each in wanted if contains(prefix, each) and each not in there)
