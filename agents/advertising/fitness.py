"""Whether the services behind a prefix are fit to receive what it attracts.

A prefix stands for the services whose addresses lie inside it, anywhere in the fleet. A part of a
prefix may hold no address at all (the upper half); it stands for the services of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, ServiceName
from ambicast.model.prefixes import contains


class Judged(msgspec.Struct, frozen=True):
    """A service's verdict, and since when it stands.

    Attributes:
        fit: the verdict.
        detail: why it is unfit.
        since: since when it is this verdict.
        doubt: its checks have begun to fail, too few to turn the verdict.
        failing: since when its checks fail; none while they pass.
    """

    fit: bool
    detail: str
    since: float
    doubt: bool = False
    failing: float | None = None


class Standing(Enum):
    """What is known of the services behind a prefix."""

    FIT = auto()
    UNKNOWN = auto()
    UNFIT = auto()


class ServiceTable:
    """Which services answer at which addresses of the fleet; made once, asked at every turn."""

    def __init__(self, fleet: Fleet) -> None:
        own = (prefix for pop in fleet.pops.values() for prefix in pop.prefixes)
        self._wholes = (*own, *fleet.anycast_prefixes())
        self._services = tuple(sorted(fleet.services))
        self._answers = tuple(_answers(fleet))
        self.addresses = frozenset(address for address, _ in self._answers)
        self.behind = lru_cache(maxsize=65536)(self._behind)

    def _behind(self, prefix: str) -> tuple[ServiceName, ...]:
        """The services that answer inside ``prefix``, or in the whole it is part of, or all."""
        inside = {name for address, name in self._answers if contains(prefix, address)}
        if inside:
            return tuple(sorted(inside))
        outer = (each for each in self._wholes if each != prefix and contains(each, prefix))
        around = next(outer, None)
        return self._behind(around) if around else self._services


def _answers(fleet: Fleet) -> Iterator[tuple[str, ServiceName]]:
    for name, service in fleet.services.items():
        for address in service.anycast.addresses.values():
            yield address, name
        for pop in fleet.pops.values():
            for kind in Family:
                own = service.address_at(pop, kind)
                if own is not None:
                    yield own, name


def standing(behind: Sequence[ServiceName], services: Mapping[str, Judged]) -> Standing:
    """FIT if any of the services is; UNFIT only if every one is known not to be."""
    judged = [services.get(name) for name in behind]
    if not behind or any(each is not None and each.fit for each in judged):
        return Standing.FIT
    return Standing.UNKNOWN if None in judged else Standing.UNFIT
