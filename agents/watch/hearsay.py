"""What other hosts said of themselves, as last heard.

Replies overtake each other on the way. A word with a lower serial than the one held is old news,
and changes nothing, as long as the newer one is fresh: a host that was started anew may count
from below. Most replies repeat the last word byte by byte, and are not decoded again.

How long replies take is remembered per host: the longest lately, which follows a longer one at
once and shorter ones slowly. Who has to know whether a word may still be on its way asks that.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agents.advertising.observations import Told
from agents.watch.datagrams import Fault
from agents.watch.outstanding import PATIENCE
from agents.watch.shorthand import Shorthand
from agents.watch.words import Word, read_word
from ambicast.model.identifiers import HostName, PopName

_MOST_KNOWN = 256
# How much of the difference a shorter round trip takes off; there are dozens of them a second.
_EASE = 0.05


class Hearsay:
    """Host -> its word; like :class:`~agents.watch.sighting.Sight` without a clock."""

    def __init__(self, shorthand: Shorthand) -> None:
        self._shorthand = shorthand
        self._known: dict[bytes, Word] = {}
        self._last: dict[HostName, tuple[Word, Told]] = {}
        self._heard: dict[HostName, float] = {}
        self._rtt: dict[HostName, float] = {}
        self._changed = False

    def understand(self, body: bytes) -> Word | Fault:
        """The word in a reply."""
        known = self._known.get(body)
        if known is not None:
            return known
        word = read_word(body)
        if isinstance(word, Word):
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[body] = word
        return word

    def hear(self, pop: PopName, host: HostName, word: Word, now: float, rtt: float = 0.0) -> None:
        """``host`` said ``word`` in a reply that arrived at ``now``, after a trip of ``rtt`` s."""
        longest = self._rtt.get(host, rtt)
        self._rtt[host] = max(rtt, longest + _EASE * (rtt - longest))
        before = self._last.get(host)
        if before is not None and before[0] is word:
            self._heard[host] = now
            return
        if before is not None and self._is_old_news(host, word, before[0], now):
            return
        self._heard[host] = now
        told = self._told(pop, host, word)
        self._changed = self._changed or before is None or before[1] != told
        self._last[host] = (word, told)

    def judge(self) -> bool:
        """Whether the meaning of any word changed since the last look."""
        changed, self._changed = self._changed, False
        return changed

    def told(self) -> Mapping[str, Told]:
        """Every host's word and when it was heard last."""
        return {
            host: msgspec.structs.replace(
                told, heard=self._heard[host], rtt=round(self._rtt[host], 3)
            )
            for host, (_, told) in self._last.items()
        }

    def _is_old_news(self, host: HostName, word: Word, held: Word, now: float) -> bool:
        return word.serial < held.serial and now - self._heard[host] <= PATIENCE

    def _told(self, pop: PopName, host: HostName, word: Word) -> Told:
        return Told(
            pop=pop,
            host=host,
            instance=word.instance,
            fit=frozenset(word.fit),
            offers=frozenset(word.offers),
            keeps=frozenset(word.keeps),
            seen=self._shorthand.read(word),
            voice=word.voice,
            switched=word.switched,
        )
