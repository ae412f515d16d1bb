"""Sightings in the short form that words carry, and back.

Most PoPs have one host: it is left out, and the reader adds it from its own fleet file. Hosts of
PoPs with several are named instead of the PoP, which the reader adds likewise.

Of others than the own PoP and those on the ring with it (:mod:`ambicast.model.watching`) nothing
is said: who counts votes on them listens to their own ring, and a word has to fit a datagram.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from agents.watch.words import BITS_V4, BITS_V6, Bits, Word
from ambicast.contract.messages import Sighting
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName, Role
from ambicast.model.watching import ring

_BITS = {Family.V4: BITS_V4, Family.V6: BITS_V6}


class Short(NamedTuple):
    """The two fields of a word that carry sightings."""

    seen: Mapping[str, Bits]
    beside: Mapping[str, Bits]


class Shorthand:
    """Writes and reads the short form by one fleet file, at the PoP ``own``."""

    def __init__(self, fleet: Fleet, own: PopName) -> None:
        self._subjects = frozenset((own, *ring(fleet, own)))
        hosts = {name: pop.hosts_with(Role.BGP) for name, pop in fleet.pops.items()}
        self._alone: dict[str, str] = {n: own[0] for n, own in hosts.items() if len(own) == 1}
        self._home: dict[str, str] = {host: n for n, own in hosts.items() for host in own}

    def write(self, sightings: Iterable[Sighting]) -> Short:
        """The short form; instants are left out, and PoPs that are watched for oneself alone."""
        seen: dict[str, dict[str, int]] = {}
        beside: dict[str, dict[str, int]] = {}
        for each in sightings:
            if each.pop not in self._subjects:
                continue
            up, judged = _BITS[each.family]
            alone = each.pop in self._alone
            uplinks = seen.setdefault(each.pop, {}) if alone else beside.setdefault(each.host, {})
            uplinks[each.uplink] = uplinks.get(each.uplink, 0) | judged | (up if each.up else 0)
        return Short(seen, beside)

    def read(self, word: Word) -> tuple[Sighting, ...]:
        """The sightings behind a word; of hosts this fleet does not have, nothing."""
        return (
            *_sightings((pop, self._alone.get(pop, ""), bits) for pop, bits in word.seen.items()),
            *_sightings(
                (self._home[host], host, bits)
                for host, bits in word.beside.items()
                if host in self._home
            ),
        )


def _sightings(named: Iterable[tuple[str, str, Bits]]) -> Iterator[Sighting]:
    for pop, host, uplinks in named:
        for uplink, bits in uplinks.items():
            for family, (up, judged) in _BITS.items():
                if bits & judged:
                    yield Sighting(
                        pop=pop, host=host, uplink=uplink, family=family, up=bool(bits & up)
                    )
