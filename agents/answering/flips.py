"""The difference between the records a server holds and those it shall hold.

Whole sets are replaced: for each changed owner and type everything old goes and everything new
comes, in one transaction, so that no client ever sees half an answer.
"""

from __future__ import annotations

import msgspec

from agents.answering.records import Key, Records, RRset


class Flip(msgspec.Struct, frozen=True):
    """One transaction: sets to remove, then sets to write; both sorted."""

    remove: tuple[Key, ...] = ()
    write: tuple[RRset, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.remove or self.write)

    @property
    def owners(self) -> frozenset[str]:
        """Every owner whose records change."""
        return frozenset(owner for owner, _ in self.remove) | {each.owner for each in self.write}


def flip(held: Records, wanted: Records) -> Flip:
    """What leads from ``held`` to ``wanted``; only sets that exist are removed."""
    changed = {key for key in held.keys() | wanted.keys() if held.get(key) != wanted.get(key)}
    return Flip(
        remove=tuple(sorted(key for key in changed if key in held)),
        write=tuple(wanted[key] for key in sorted(changed) if key in wanted),
    )
