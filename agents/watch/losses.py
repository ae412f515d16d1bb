"""How many probes through each own uplink stay unanswered.

Counted per exit and other PoP in slots of half a second; the share is that of the last ten
seconds, leaving out the last half second, whose answers may still be under way. What comes later
than that is lost. An uplink's share is that of the PoP in the middle (the lower one of two), so
that the death of a PoP, or its own lossy uplink, is not taken for ours. A family that does not
work through an uplink at all is left out: that is silence, not loss.

Nothing is said before the ten seconds are full: of less, one short gap is a large share. While the
own loop stands still nothing is sent; the slots that are missing then are waited for again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from statistics import median_low
from typing import NamedTuple

from agents.watch.targets import Ask, Exit

SLOT = 0.5
WINDOW = 10.0
LATE = 0.5


class Slot:
    """What was sent within half a second, and what of it was answered, by place."""

    def __init__(self, places: int) -> None:
        self.sent = [0] * places
        self.answered = [0] * places


class _Way(NamedTuple):
    exit: Exit
    pop: str


class Losses:
    """The counters of one watcher; hosts of the own PoP are not counted."""

    def __init__(self, asks: Iterable[Ask]) -> None:
        self._places: dict[_Way, int] = {}
        for each in asks:
            if each.judged is not None:
                self._places.setdefault(_Way(each.exit, each.path.pop), len(self._places))
        self._slots: dict[int, Slot] = {}
        self._shares: dict[str, float] = {}
        self._summed = -1

    def place(self, ask: Ask) -> int | None:
        """Where to count this ask; none where it is not counted."""
        return self._places.get(_Way(ask.exit, ask.path.pop)) if ask.judged else None

    def sent(self, place: int | None, now: float) -> None:
        """A probe was sent."""
        if place is None:
            return
        number = int(now / SLOT)
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = Slot(len(self._places))
        slot.sent[place] += 1

    def answered(self, place: int | None, asked: float, now: float) -> None:
        """The answer to a probe of the instant ``asked``."""
        if place is None or now - asked > LATE:
            return
        slot = self._slots.get(int(asked / SLOT))
        if slot is not None:
            slot.answered[place] += 1

    def shares(self, now: float, working: Container[Exit]) -> dict[str, float]:
        """Uplink -> share (0..1), from the exits that work; what cannot be said is left out."""
        newest = int((now - LATE) / SLOT)  # the first slot that is not yet over
        if newest != self._summed:
            self._summed = newest
            self._forget(newest)
            self._shares = self._sum(newest, working)
        return self._shares

    def _forget(self, newest: int) -> None:
        oldest = newest - int(WINDOW / SLOT)
        for number in [each for each in self._slots if each < oldest]:
            del self._slots[number]

    def _sum(self, newest: int, working: Container[Exit]) -> dict[str, float]:
        whole = [slot for number, slot in self._slots.items() if number < newest]
        if len(whole) * SLOT < WINDOW:
            return {}
        sent = [sum(column) for column in zip(*(slot.sent for slot in whole), strict=True)]
        answered = [sum(column) for column in zip(*(slot.answered for slot in whole), strict=True)]
        counted: dict[str, dict[str, tuple[int, int]]] = {}
        for way, place in self._places.items():
            if way.exit in working:
                pops = counted.setdefault(way.exit.uplink, {})
                asked, heard = pops.get(way.pop, (0, 0))
                pops[way.pop] = (asked + sent[place], heard + answered[place])
        return {uplink: _in_the_middle(pops.values()) for uplink, pops in counted.items()}


def _in_the_middle(counted: Iterable[tuple[int, int]]) -> float:
    shares = [1 - heard / asked for asked, heard in counted if asked]
    return round(median_low(shares), 4) if shares else 0.0
