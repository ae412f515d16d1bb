"""The records a nameserver shall hold, as a function of what it was told.

Always the whole desired set, never an increment: the difference to what the server holds is made
at the last moment (:mod:`agents.answering.flips`), so that any start leads to the same end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from agents.answering.generation import Generation, spell
from agents.answering.naming import (
    absolute,
    generation_owner,
    group_owner,
    is_group_owner,
    wildcard_owner,
)
from ambicast.contract.messages import Steering
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import EVERYONE_ELSE, Family
from ambicast.model.prefixes import address, family

ADDRESS_TYPE = {Family.V4: "A", Family.V6: "AAAA"}


class RRset(msgspec.Struct, frozen=True, order=True):
    """All records of one owner and type; ``data`` is sorted presentation text, ``ttl`` seconds."""

    owner: str
    type: str
    ttl: int
    data: tuple[str, ...]


Key = tuple[str, str]
Records = Mapping[Key, RRset]
Names = Mapping[str, tuple[str, ...]]


def names_of(fleet: Fleet) -> Names:
    """Service -> the names it answers to, as the fleet file has it."""
    return {str(name): service.names for name, service in fleet.services.items()}


def keyed(found: Iterable[RRset]) -> dict[Key, RRset]:
    """The same sets by owner and type."""
    return {(each.owner, each.type): each for each in found}


def desired(
    fleet: Fleet, steering: Steering | None, names: Names, generation: Generation
) -> Records:
    """Everything of the zone that steering decides: groups, names, and the generation itself.

    Without steering, and for every group it leaves out, the answer is the default: what steering
    gives to ``default``, or else the service's anycast addresses.
    """
    ttl = whole_seconds(steering.ttl if steering else fleet.timing.ttl)
    found: list[RRset] = []
    for service in sorted(fleet.services):
        groups = dict(steering.answers.get(service, {})) if steering else {}
        anycast = tuple(fleet.services[service].anycast.addresses.values())
        default = groups.setdefault(EVERYONE_ELSE, anycast)
        found += _addresses(wildcard_owner(fleet.zone, service), ttl, default)
        for group, addresses in groups.items():
            found += _addresses(group_owner(fleet.zone, service, group), ttl, addresses)
        target = group_owner(fleet.zone, service, EVERYONE_ELSE)
        found += [
            RRset(absolute(name), "CNAME", ttl, (target,)) for name in names.get(service, ())
        ]
    text = f'"{spell(generation)}"'
    found.append(RRset(generation_owner(fleet.zone), "TXT", 0, (text,)))
    return keyed(found)


def steered(fleet: Fleet, held: Records) -> Records:
    """The part of a zone's records that steering decides; SOA, NS and glue are not in it."""
    generation = generation_owner(fleet.zone)
    return {
        (owner, kind): each
        for (owner, kind), each in held.items()
        if kind == "CNAME" or owner == generation or is_group_owner(fleet.zone, owner)
    }


def whole_seconds(ttl: float) -> int:
    """A TTL as DNS carries it; rounded up, because waiting too long is safe."""
    return math.ceil(ttl)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """An address as servers print it; few different ones are given to many groups."""
    return str(address(text))


def _addresses(owner: str, ttl: int, addresses: Iterable[str]) -> list[RRset]:
    by_family: dict[Family, set[str]] = {}
    for each in addresses:
        by_family.setdefault(family(each), set()).add(canonical(each))
    return [
        RRset(owner, ADDRESS_TYPE[kind], ttl, tuple(sorted(texts)))
        for kind, texts in sorted(by_family.items())
    ]
