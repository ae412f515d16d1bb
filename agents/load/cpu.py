"""The CPUs' load between two looks at ``/proc/stat`` (proc(5)).

Busy is everything but idle and waiting for a disk. Time a hypervisor stole counts as busy: it is
as lost to our checks as any other. Guests' time is part of user time already.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

_IDLE, _IOWAIT, _GUEST = 3, 4, 8


class Ticks(msgspec.Struct, frozen=True):
    """Clock ticks of all CPUs together since the boot."""

    busy: int
    idle: int


def ticks(text: str) -> Ticks | None:
    """From the text of ``/proc/stat``; none where it is another text."""
    words = text.split("\n", 1)[0].split()
    if len(words) < 5 or words[0] != "cpu" or not all(word.isdigit() for word in words[1:]):
        return None
    counts = [int(word) for word in words[1 : _GUEST + 1]]
    idle = sum(counts[_IDLE : _IOWAIT + 1])
    return Ticks(sum(counts) - idle, idle)


def share(before: Ticks, after: Ticks) -> float:
    """The share (0..1) of busy ticks between the two; 0 where the clock has not moved."""
    busy, idle = after.busy - before.busy, after.idle - before.idle
    if busy < 0 or idle < 0 or busy + idle == 0:
        return 0.0
    return busy / (busy + idle)


class CpuMeter:
    """Looks at one file: like ``/proc/stat``, or holding a share somebody else measured."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before: Ticks | None = None

    def look(self) -> float:
        """The share since the last look; 0 at the first, and where nothing can be read."""
        try:
            text = self._path.read_text()
        except (OSError, UnicodeDecodeError):
            return 0.0
        now = ticks(text)
        if now is None:
            return _said(text)
        before, self._before = self._before, now
        return share(before, now) if before else 0.0


def _said(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return min(max(found, 0.0), 1.0) if found == found else 0.0  # noqa: PLR0124 - NaN
