"""Probes not answered yet: the only nonces a reply may carry, and each of them just once."""

from __future__ import annotations

from typing import Generic, TypeVar

# A reply that took longer says little about now (and no path is that long).
PATIENCE = 1.0

Q = TypeVar("Q")


class Outstanding(Generic[Q]):
    """Nonce -> when it was sent and what was asked, in the order of asking."""

    def __init__(self) -> None:
        self._asked: dict[bytes, tuple[float, Q]] = {}

    def add(self, nonce: bytes, question: Q, now: float) -> None:
        self._asked[nonce] = (now, question)

    def take(self, nonce: bytes) -> tuple[float, Q] | None:
        """What was asked with this nonce; none where nothing was, or it was answered before."""
        return self._asked.pop(nonce, None)

    def forget(self, now: float) -> None:
        """Drop what waited too long; the oldest come first."""
        while self._asked:
            nonce = next(iter(self._asked))
            if now - self._asked[nonce][0] < PATIENCE:
                return
            del self._asked[nonce]
