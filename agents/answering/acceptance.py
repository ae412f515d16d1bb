"""Whether a steering message or client map may be followed: newer, and made of known things.

A refused message changes nothing at all; the refusal names every offence and what is allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from agents.answering.generation import spell_stamp
from agents.answering.naming import absolute, label_offence, name_offences
from agents.answering.records import canonical
from agents.answering.sentinel import SENTINEL
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap, Steering
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import EVERYONE_ELSE
from ambicast.model.prefixes import PrefixError, contains, network

# RFC 2181 section 8: a TTL has 31 bits. A week is longer than any steering can mean.
_LONGEST_TTL = 7 * 86400.0


class Held(msgspec.Struct, frozen=True):
    """The newest message of one kind; its body is unknown after a restart of the agent."""

    stamp: Stamp = Stamp()
    body: Steering | ClientMap | None = None


class Accepted(msgspec.Struct, frozen=True):
    """To be followed; it may be a repetition of what is held."""


class Stale(msgspec.Struct, frozen=True):
    """Older than what is held (I12), or the same stamp with another content."""

    why: str


class Forbidden(msgspec.Struct, frozen=True):
    """It names what this fleet does not have; one sentence per offence."""

    offences: tuple[str, ...]


Verdict = Accepted | Stale | Forbidden


def judge(message: Steering | ClientMap, stamp: Stamp, held: Held, fleet: Fleet) -> Verdict:
    """Whether ``message`` is to be followed, given the newest one of its kind."""
    if stamp < held.stamp:
        newer, older = spell_stamp(held.stamp), spell_stamp(stamp)
        return Stale(f"{older} is older than {newer}, which is held")
    if stamp == held.stamp and held.body is not None and held.body != message:
        return Stale(f"{spell_stamp(stamp)} is held with another content: use a new generation")
    if isinstance(message, Steering):
        offences = tuple(_steering_offences(message, fleet))
    else:
        offences = tuple(_map_offences(message, fleet))
    return Forbidden(offences) if offences else Accepted()


def _steering_offences(steering: Steering, fleet: Fleet) -> Iterator[str]:
    if not 0 <= steering.ttl <= _LONGEST_TTL:
        yield f"ttl {steering.ttl}: 0 to {_LONGEST_TTL:.0f} seconds are allowed"
    allowed = frozenset(fleet.service_addresses())
    for service, groups in sorted(steering.answers.items()):
        if service not in fleet.services:
            yield f"service {service!r}: known are {', '.join(sorted(fleet.services))}"
            continue
        for group, addresses in sorted(groups.items()):
            yield from _group_offences(f"{service}: group", group)
            if not addresses:
                yield f"{service}: group {group!r} has no address; give at least one"
            for each in addresses:
                reason = _address_offence(each, allowed)
                if reason:
                    yield f"{service}: group {group!r}: {reason}"


def _address_offence(text: str, allowed: frozenset[str]) -> str | None:
    try:
        known = canonical(text) in allowed
    except PrefixError as fault:
        return str(fault)
    if known:
        return None
    return f"{text} is no service address of this fleet; allowed are {', '.join(sorted(allowed))}"


def _map_offences(client_map: ClientMap, fleet: Fleet) -> Iterator[str]:
    if absolute(client_map.zone) != absolute(fleet.zone):
        yield f"zone {client_map.zone!r}: this nameserver serves {fleet.zone}"
    for service, names in sorted(client_map.names.items()):
        if service not in fleet.services:
            yield f"service {service!r}: known are {', '.join(sorted(fleet.services))}"
        yield from name_offences(fleet.zone, names)
    every = Counter(absolute(each) for names in client_map.names.values() for each in set(names))
    yield from (f"name {each} is given to {n} services" for each, n in every.items() if n > 1)
    owners: dict[str, str] = {}
    for group, prefixes in sorted(client_map.groups.items()):
        yield from _group_offences("group", group)
        for prefix in prefixes:
            reason = _prefix_offence(prefix)
            if reason:
                yield f"group {group!r}: {reason}"
            elif owners.setdefault(str(network(prefix)), group) != group:
                yield f"prefix {prefix} is in group {owners[prefix]!r} and in {group!r}"


def _prefix_offence(prefix: str) -> str | None:
    try:
        place = network(prefix)
    except PrefixError as fault:
        return str(fault)
    if str(place) == SENTINEL:
        return f"prefix {prefix} is kept for proving which map is live"
    if contains("::/96", str(place)):
        return f"prefix {prefix} lies in ::/96, where IPv4 is mapped; write it as IPv4"
    return None


def _group_offences(kind: str, group: str) -> Iterator[str]:
    reason = None if group == EVERYONE_ELSE else label_offence(kind, group)
    if reason:
        yield reason
