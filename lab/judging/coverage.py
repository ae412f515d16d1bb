"""Whether every steered prefix can be reached at all: some router has a route that covers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network

import msgspec

from lab.fibs import FibMonitor
from lab.topology.internet import ANYCAST, Internet


class CoverageSample(msgspec.Struct, frozen=True):
    """The steered prefixes that no router had a route for at one moment.

    `inexact`: that no router had a route for of just that length; others may have covered them.
    """

    t_ns: int
    missing: tuple[str, ...]
    inexact: tuple[str, ...] = ()


def steered(internet: Internet) -> dict[str, tuple[str, str]]:
    """Every prefix that must stay reachable, with its first and last address."""
    every = [prefix for pop in internet.pops for prefix in pop.home.values()]
    every += ANYCAST.values()
    found = {}
    for prefix in every:
        network = ip_network(prefix)
        found[prefix] = (str(network[1]), str(network[-1]))
    return found


def missing(
    fibs: FibMonitor, routers: Sequence[str], prefixes: Mapping[str, tuple[str, str]]
) -> tuple[str, ...]:
    """Those of `prefixes` of which no router covers both ends."""
    return tuple(
        prefix
        for prefix, ends in prefixes.items()
        if not all(any(fibs.covers(router, end) for router in routers) for end in ends)
    )


def inexact(fibs: FibMonitor, routers: Sequence[str], prefixes: Iterable[str]) -> tuple[str, ...]:
    """Those of `prefixes` that are in no router's table as they are."""
    return tuple(
        prefix
        for prefix in prefixes
        if not any(fibs.has_route(router, prefix) for router in routers)
    )
