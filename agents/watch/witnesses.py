"""Who answers at a prefix's witness address: the proof that the prefix leads there.

Each observed prefix is asked every 200 ms, through one own uplink after the other, so that one
silent uplink does not hide a prefix. A PoP counts as leading for a second after its last answer.
Where this host terminates the witness itself its own kernel answers; that proves nothing, and the
prefix is left alone as long as the answer is our own.
"""

from __future__ import annotations

from collections.abc import Mapping

ASK_EVERY = 0.2
REMEMBER = 1.0


class Witnesses:
    """Answers at witness addresses; like :class:`~agents.watch.sighting.Sight` without a clock."""

    def __init__(self, own: str) -> None:
        self._own = own
        self._answers: dict[str, dict[str, float]] = {}
        self._told: dict[str, tuple[str, ...]] = {}

    def observe(self, prefixes: frozenset[str]) -> None:
        """The whole set of prefixes to observe from now on."""
        self._answers = {each: self._answers.get(each, {}) for each in sorted(prefixes)}

    def to_ask(self, now: float) -> tuple[str, ...]:
        """The observed prefixes whose witness is not answered by this host itself."""
        return tuple(
            prefix
            for prefix, answers in self._answers.items()
            if now - answers.get(self._own, -REMEMBER) >= REMEMBER
        )

    def hear(self, prefix: str, pop: str, now: float) -> None:
        """``pop`` answered at the witness address of ``prefix``."""
        if prefix in self._answers:
            self._answers[prefix][pop] = now

    def judge(self, now: float) -> bool:
        """Whether any prefix is led to other PoPs than at the last look."""
        leading = {
            prefix: tuple(
                sorted(
                    pop
                    for pop, heard in answers.items()
                    if pop != self._own and now - heard < REMEMBER
                )
            )
            for prefix, answers in self._answers.items()
        }
        changed = leading != self._told
        self._told = leading
        return changed

    def leading(self) -> Mapping[str, tuple[str, ...]]:
        """Observed prefix -> PoPs that answered lately, as of the last look."""
        return self._told
