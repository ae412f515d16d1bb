"""Probes not answered yet: the only nonces a reply may carry, and each of them just once."""

from __future__ import annotations

from agents.watch.targets import Ask

# A reply that took longer says little about now (and no path is that long).
PATIENCE = 1.0

Question = Ask | str  # an own path, or the prefix whose witness was asked


class Outstanding:
    """Nonce -> what was asked, in the order of asking."""

    def __init__(self) -> None:
        self._asked: dict[bytes, tuple[float, Question]] = {}

    def add(self, nonce: bytes, question: Question, now: float) -> None:
        self._asked[nonce] = (now, question)

    def take(self, nonce: bytes) -> Question | None:
        """What was asked with this nonce; none where nothing was, or it was answered before."""
        found = self._asked.pop(nonce, None)
        return found[1] if found else None

    def forget(self, now: float) -> None:
        """Drop what waited too long; the oldest come first."""
        while self._asked:
            nonce = next(iter(self._asked))
            if now - self._asked[nonce][0] < PATIENCE:
                return
            del self._asked[nonce]
