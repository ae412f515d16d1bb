"""Counting what was dropped: per topic and flaw, and each pair worth one line in the log.

Both are of the sender's choice, so neither is remembered without end.
"""

from __future__ import annotations

from collections import Counter

from ambicast.contract.codec import Flaw

MOST_TOPICS = 1000
ELSEWHERE = "elsewhere"


class Tally:
    """How often a message on a topic was dropped for a flaw."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Flaw]] = Counter()
        self._topics: set[str] = set()

    def note(self, topic: str, flaw: Flaw) -> int:
        """Counts one; returns how many of this topic and flaw that makes."""
        if topic not in self._topics and len(self._topics) >= MOST_TOPICS:
            topic = ELSEWHERE
        self._topics.add(topic)
        self._counts[topic, flaw] += 1
        return self._counts[topic, flaw]

    def by_topic(self) -> dict[tuple[str, Flaw], int]:
        """Everything counted."""
        return dict(self._counts)

    def by_flaw(self) -> dict[str, int]:
        """How many were dropped for each flaw."""
        found: Counter[str] = Counter()
        for (_, flaw), count in self._counts.items():
            found[flaw.value] += count
        return dict(found)


def worth_telling(count: int) -> bool:
    """Whether the ``count``-th of a kind is told: the first, then each power of a thousand."""
    while count > 1 and count % 1000 == 0:
        count //= 1000
    return count == 1
