"""Which questions prove that a server answers what it shall.

A control command that reports success proves nothing (a broken map unloads the geo module and the
command still succeeds), so a receipt says "accepted" only after real questions with the clients'
prefixes came back right: alias, addresses, TTL and scope.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agents.answering.generation import Generation, spell
from agents.answering.naming import absolute, generation_owner, group_owner, wildcard_owner
from agents.answering.naming import sentinel_owner as sentinel_name
from agents.answering.records import ADDRESS_TYPE, Names, Records, RRset
from agents.answering.sentinel import SENTINEL, sentinel_group
from agents.answering.tree import Branch, first_leaf, look_up
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap
from ambicast.model.identifiers import EVERYONE_ELSE, Family

# Enough to see every group in a usual flip, few enough to take milliseconds.
MOST_GROUPS = 64


class Question(msgspec.Struct, frozen=True):
    """One query; ``subnet`` is the ECS prefix, or none for a query without ECS."""

    name: str
    type: str
    subnet: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What came back, as far as it matters.

    Attributes:
        rcode: RFC 1035 section 4.1.1, as text.
        alias: where a CNAME led, or none.
        data: the records of the type asked for, sorted presentation text.
        ttl: the shortest in the answer; none where it is empty.
        scope: the ECS scope, none where there was no ECS option.
    """

    rcode: str = "NOERROR"
    alias: str | None = None
    data: tuple[str, ...] = ()
    ttl: int | None = None
    scope: int | None = None


class Proof(msgspec.Struct, frozen=True):
    """A question and the only answer to it that proves the point."""

    question: Question
    expected: Answer


class Atlas(msgspec.Struct, frozen=True):
    """A client map with the tree grown from it."""

    stamp: Stamp
    map: ClientMap
    tree: Branch


def proof_of_generation(zone: str, generation: Generation) -> Proof:
    """The zone holds this steering."""
    return Proof(
        Question(generation_owner(zone), "TXT"),
        Answer(data=(f'"{spell(generation)}"',), ttl=0),
    )


def question_of_map(zone: str) -> Question:
    """Asks which map is live; :func:`~agents.answering.sentinel.parse_sentinel` reads it."""
    return Question(sentinel_name(zone), "TXT", SENTINEL)


def proof_of_map(zone: str, stamp: Stamp, ttl: int) -> Proof:
    """This map is live."""
    text = f'"{sentinel_group(stamp)}"'
    return Proof(question_of_map(zone), Answer(data=(text,), ttl=ttl, scope=32))


class Prover(msgspec.Struct, frozen=True):
    """What is needed to foretell answers; ``alias_ttl`` is that of the geo module, in seconds."""

    zone: str
    names: Names
    records: Records
    atlas: Atlas | None
    alias_ttl: int

    def proofs(self, changed: frozenset[str]) -> Iterator[Proof]:
        """Proofs for everybody else, and for (a spread of) the groups with changed owners."""
        for service in sorted(self.names):
            yield from self._service_proofs(service, EVERYONE_ELSE)
            groups = sorted(self._groups_of(service, changed) - {EVERYONE_ELSE})
            for group in spread(groups, MOST_GROUPS):
                yield from self._service_proofs(service, group)

    def _groups_of(self, service: str, changed: frozenset[str]) -> set[str]:
        tail = wildcard_owner(self.zone, service).removeprefix("*")
        return {owner.removesuffix(tail) for owner in changed if owner.endswith(tail)} - {"*"}

    def _service_proofs(self, service: str, group: str) -> Iterator[Proof]:
        samples = [each for kind in Family if (each := self._sample(group, kind))]
        for kind in ADDRESS_TYPE.values():
            for sample in samples:
                for name in self.names[service][:1]:
                    yield self._geo_proof(name, service, kind, sample)
            if not samples:
                yield self._direct_proof(service, kind, group)

    def _sample(self, group: str, kind: Family) -> str | None:
        if self.atlas is None:
            return None
        if group == EVERYONE_ELSE:
            return first_leaf(self.atlas.tree, kind, group)
        listed = self.atlas.map.groups.get(group, ())
        mine = (each for each in listed if (":" in each) is (kind is Family.V6))
        tree = self.atlas.tree
        return next((each for each in mine if look_up(tree, each).group == group), None)

    def _geo_proof(self, name: str, service: str, kind: str, sample: str) -> Proof:
        tree = self.atlas.tree if self.atlas else EVERYONE_ELSE
        match = look_up(tree, sample)
        owner = group_owner(self.zone, service, match.group)
        found = self._found(service, owner, kind)
        ttl = min(self.alias_ttl, found.ttl) if found else self.alias_ttl
        data = found.data if found else ()
        expected = Answer(alias=owner, data=data, ttl=ttl, scope=match.scope)
        return Proof(Question(absolute(name), kind, sample), expected)

    def _direct_proof(self, service: str, kind: str, group: str) -> Proof:
        owner = group_owner(self.zone, service, group)
        found = self._found(service, owner, kind)
        expected = Answer(data=found.data, ttl=found.ttl) if found else Answer()
        return Proof(Question(owner, kind), expected)

    def _found(self, service: str, owner: str, kind: str) -> RRset | None:
        """The set that answers ``owner``: its own, or the wildcard's where it has none at all."""
        has_some = any((owner, each) in self.records for each in ADDRESS_TYPE.values())
        holder = owner if has_some else wildcard_owner(self.zone, service)
        return self.records.get((holder, kind))


def spread(groups: Sequence[str], most: int) -> Sequence[str]:
    """At most ``most`` of ``groups``, evenly spread, always the same ones."""
    step = -(-len(groups) // most)
    return groups[::step] if step > 1 else groups
