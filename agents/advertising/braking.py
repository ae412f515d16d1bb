"""What an operator's brake does to what is advertised: HOLD freezes it, WITHDRAW ends it.

An operator's word is final, above orders, deeds, keepers and checks; only the allow-list stands
above it. Orders are still accepted and kept, and carried out once the brake is released. HOLD
keeps what ExaBGP held when the brake was pulled, fit or not. An ExaBGP that dies gets the same
again, and so does one after a boot, because what was frozen is kept beside the brake; but what is
gone from the wire comes back only as it would under an order: once its services are fit and its
addresses there. Where nobody knows what was held (the brake was pulled while neither agent nor
ExaBGP ran), an agent that finds nothing advertised holds its kept order. WITHDRAW first offers the
roles this host keeps, for two seconds at most: a moment in which to save a prefix nobody else may
have, and no longer than a person would wait.
"""

from __future__ import annotations

import msgspec

from agents.advertising.hearing import Hearing
from ambicast.contract.messages import Brake, BrakeKind
from ambicast.model.routes import Advertisement

HAND_OVER = 2.0

Advertisements = frozenset[Advertisement]


class Braking(msgspec.Struct, frozen=True):
    """A brake in force.

    Attributes:
        brake: what the operator said.
        at: when this agent learned it (the loop's clock).
        frozen: what ExaBGP held then; none where it was not attached yet.
        last: kept prefixes that were given up although nobody had taken the role.
    """

    brake: Brake
    at: float
    frozen: Advertisements | None = None
    last: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Whether what is on the wire stays."""
        return self.brake.kind is BrakeKind.HOLD

    @property
    def leaves(self) -> bool:
        """Whether nothing is to be advertised."""
        return self.brake.kind is BrakeKind.WITHDRAW


def pull(
    before: Braking | None, brake: Brake | None, rib: Advertisements | None, now: float
) -> Braking | None:
    """After a word from the operator; the same word again changes nothing."""
    if brake is None:
        return None
    if before is not None and before.brake.kind is brake.kind:
        return msgspec.structs.replace(before, brake=brake)
    return Braking(brake, now, frozen=rib)


def aged(
    before: Braking | None,
    rib: Advertisements | None,
    roles: frozenset[str],
    heard: Hearing,
    kept: Advertisements,
    now: float,
) -> Braking | None:
    """The brake after time passed, with what ExaBGP holds and the roles this host keeps.

    ``kept`` is what the order that is held asks for.
    """
    if before is None:
        return None
    after = before
    if after.frozen is None and rib is not None:
        found = rib or kept if after.holds else rib
        after = msgspec.structs.replace(after, frozen=found)
    if after.leaves and now - after.at >= HAND_OVER:
        last = after.last | (_unkept(after, roles, heard) & _prefixes(rib))
        after = msgspec.structs.replace(after, last=last)
    return before if after == before else after


def braked(
    braking: Braking, roles: frozenset[str], heard: Hearing, now: float
) -> Advertisements | None:
    """The whole desired set under the brake, before the allow-list; none: hands off."""
    if braking.holds:
        return braking.frozen
    if braking.frozen is None or now - braking.at >= HAND_OVER:
        return frozenset()
    kept = _unkept(braking, roles, heard)
    return frozenset(each for each in braking.frozen if each.prefix in kept)


def _unkept(braking: Braking, roles: frozenset[str], heard: Hearing) -> frozenset[str]:
    """The roles nobody has taken: the services do not matter, the operator has judged."""
    taken = frozenset[str]().union(*(word.keeps for word in heard.words))
    return (roles & _prefixes(braking.frozen)) - taken


def _prefixes(some: Advertisements | None) -> frozenset[str]:
    return frozenset(each.prefix for each in some or ())
