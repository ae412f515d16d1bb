"""A broken promise, told so that the reader knows which outage is about to happen."""

from __future__ import annotations

import msgspec


class Violation(msgspec.Struct, frozen=True):
    """One broken invariant.

    Attributes:
        invariant: its number, as in ``docs/invariants.md``.
        outage: what clients would suffer.
        detail: the names and numbers of this case.
    """

    invariant: str
    outage: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail} ({self.outage})"
