"""Whom to ask, from where, and in which order.

Which PoPs: see :mod:`ambicast.model.watching`.

A *path* leads to the identity address of one host on one uplink in one family: of every host of
the watched PoPs, and of the other hosts of the own PoP. It is asked through each own uplink (an
*exit*), once per interval each. The asks are spread evenly over the interval; own uplinks lie
farthest apart in that order, so that with two of them each path is heard twice per interval, half
an interval apart, and each PoP every few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName, Role, UplinkName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import address
from ambicast.model.watching import watched


class Path(NamedTuple):
    """To another host's identity address."""

    pop: PopName
    host: HostName
    uplink: UplinkName
    family: Family


class Exit(NamedTuple):
    """One of the own uplinks, in one family."""

    uplink: UplinkName
    family: Family


class Ask(msgspec.Struct, frozen=True):
    """One probe that is sent again and again; addresses in canonical text.

    ``judged`` is the exit that an answer speaks for: none where a host of the own PoP is asked.
    """

    path: Path
    exit: Exit
    source: str
    target: str
    judged: Exit | None


def asks(fleet: Fleet, pop: Pop, host: HostName) -> tuple[Ask, ...]:
    """Every probe of one interval, in the order in which they are spread over it.

    ``pop`` has its uplinks as ``host`` reaches them.
    """
    found = []
    targets = tuple(_targets(fleet, pop.name, host))
    for own_name, own in sorted(pop.uplinks.items()):
        for family in Family:
            if family not in own.identity:
                continue
            way_out = Exit(own_name, family)
            source = str(address(own.identity[family]))
            for path, target in targets:
                if path.family is family:
                    judged = None if path.pop == pop.name else way_out
                    found.append(Ask(path, way_out, source, target, judged))
    return tuple(found)


def _targets(fleet: Fleet, own: PopName, host: HostName) -> Iterator[tuple[Path, str]]:
    """Paths and their addresses; the PoP changes fastest, then the host, then the uplink."""
    ranked = []
    for name in (*watched(fleet, own), own):
        pop = fleet.pops[name]
        others = [each for each in pop.hosts_with(Role.BGP) if each != host]
        for place, each in enumerate(others):
            for rank, (uplink, reached) in enumerate(sorted(pop.at(each).uplinks.items())):
                for family, target in reached.identity.items():
                    path = Path(name, each, uplink, family)
                    ranked.append(((rank, place), path, str(address(target))))
    for _, path, target in sorted(ranked):
        yield path, target
