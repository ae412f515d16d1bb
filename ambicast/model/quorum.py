"""Counting votes on who is gone: one rule, for the controller and for agents that are alone.

Every watcher sees paths (to a PoP, in a family), up or not. One path that is up is enough to have
seen a PoP. A watcher that sees nobody of a family cannot tell its own isolation from everybody's
death, and has no voice in that family; what it sees inside its own PoP proves nothing. One vote
per PoP; where two hosts of one PoP disagree, having seen it wins.

Families are counted apart: a PoP silent in one of them is gone in that one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from ambicast.model.identifiers import Family, PopName

Subject = tuple[PopName, Family]
"""What is voted on: a PoP, in a family."""


class PathSeen(Protocol):
    """One watched path, as sightings tell it."""

    @property
    def pop(self) -> str: ...
    @property
    def family(self) -> Family: ...
    @property
    def up(self) -> bool: ...


class Votes(msgspec.Struct, frozen=True):
    """Which PoPs say that one PoP is gone, and which that it is there."""

    gone: frozenset[PopName] = frozenset()
    there: frozenset[PopName] = frozenset()

    def silent(self, quorum: int) -> bool:
        """Gone, if enough say so and they outnumber those who still see it."""
        return len(self.gone) >= max(quorum, len(self.there) + 1)

    def seen(self, quorum: int) -> bool:
        """There, under the same rule the other way round."""
        return len(self.there) >= max(min(quorum, len(self.there)), len(self.gone) + 1)

    def unanimous(self, quorum: int) -> bool:
        """Gone, and nobody who has a voice still sees it."""
        return not self.there and self.silent(quorum)


def opinion(seen: Iterable[PathSeen], voter: PopName) -> dict[Subject, bool]:
    """What ``voter`` says of each other PoP and family; nothing where it sees nobody."""
    found: dict[Subject, bool] = {}
    for path in seen:
        subject = (PopName(path.pop), path.family)
        if subject[0] != voter:
            found[subject] = found.get(subject, False) or path.up
    voiced = {kind for (_, kind), up in found.items() if up}
    return {subject: up for subject, up in found.items() if subject[1] in voiced}


def count(opinions: Iterable[tuple[PopName, Mapping[Subject, bool]]]) -> dict[Subject, Votes]:
    """The votes on everything anybody has an opinion on.

    Args:
        opinions: (PoP of the watcher, its :func:`opinion`), once per watcher.
    """
    gone: dict[Subject, set[PopName]] = {}
    there: dict[Subject, set[PopName]] = {}
    for voter, said in opinions:
        for subject, up in said.items():
            (there if up else gone).setdefault(subject, set()).add(voter)
    none: set[PopName] = set()
    return {
        subject: Votes(
            frozenset(gone.get(subject, none) - there.get(subject, none)),
            frozenset(there.get(subject, none)),
        )
        for subject in {**gone, **there}
    }
