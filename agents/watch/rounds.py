"""Spreading many regular things evenly over their period, with one coarse timer for all."""

from __future__ import annotations

from collections.abc import Iterator


class Rounds:
    """Whose turn it is: every number below ``count`` once per ``period``, evenly spread.

    Turns missed while the loop stood still are not made up for beyond one full round: a burst of
    old probes helps nobody.
    """

    def __init__(self, period: float) -> None:
        self._period = period
        self._last: float | None = None

    def due(self, count: int, now: float) -> Iterator[int]:
        """The numbers whose turn came since the last call."""
        if self._last is None:
            self._last = now
        first = int(self._last / self._period * count)
        until = int(now / self._period * count)
        self._last = now
        for turn in range(max(first, until - count), until):
            yield turn % count
