"""What other hosts say of themselves, as far as it can be believed now.

Every reply to a probe carries its sender's *word*. Words decide what a host may give up, so one is
heeded only where it is fresh, where a path to its sender is up, and where its sender's agent
itself speaks (a responder whose agent is silent repeats old things). Who is not heard is not
known to be fit: that is how a host fails open when it is cut off, or before its watch has begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from agents.advertising.observations import Told, Watched

# Seconds. The watch tells a change at once and everything four times a second, so a word's age
# counts up to the moment the watch spoke; and the watch itself may be late, but not silent.
FRESH = 1.0
WATCH_SILENT = 1.0


class Hearing(msgspec.Struct, frozen=True):
    """The words that count at one moment.

    Attributes:
        there: every host that is heard at all, also one whose agent is silent.
        words: those whose agents speak.
    """

    there: tuple[Told, ...] = ()
    words: tuple[Told, ...] = ()

    def fit(self, behind: Collection[str]) -> bool:
        """Whether another host is fit, without doubt, for any of the services ``behind``."""
        return any(_fit(word, behind) for word in self.words)

    def kept(self, prefix: str, behind: Collection[str]) -> bool:
        """Whether another host that is fit for it says that it keeps ``prefix``."""
        return any(prefix in word.keeps and _fit(word, behind) for word in self.words)

    @property
    def offers(self) -> frozenset[str]:
        """Every prefix whose keeper would rather not be."""
        return frozenset(prefix for word in self.words for prefix in word.offers)


def hearing(watched: Watched | None, watched_at: float, host: str, now: float) -> Hearing:
    """The words that count, of all hosts but ``host``; the watch spoke last at ``watched_at``."""
    if watched is None or now - watched_at > WATCH_SILENT:
        return Hearing()
    judged = {(each.pop, each.host) for each in watched.seen}
    up = {(each.pop, each.host) for each in watched.seen if each.up}
    there = tuple(
        told
        for _, told in sorted(watched.told.items())
        if told.host != host and watched_at - told.heard < FRESH and _reached(told, judged, up)
    )
    return Hearing(there, tuple(told for told in there if told.voice))


def _reached(told: Told, judged: set[tuple[str, str]], up: set[tuple[str, str]]) -> bool:
    """Whether a path to it is up; while none was judged yet, its word proves that one is."""
    names = {(told.pop, told.host), (told.pop, "")}
    return bool(names & up) or not names & judged


def _fit(word: Told, behind: Iterable[str]) -> bool:
    return any(service in word.fit for service in behind)
