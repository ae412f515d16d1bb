"""From records to the figures of a probe: sent, lost, outage.

An *outage* is counted by send time: from the last answered request before a gap to the first
answered one after it. A gap that is still open at the end lasts until the last request sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from lab.load.records import Record

MS: Final = 1_000_000


class Gap(msgspec.Struct, frozen=True):
    """Unanswered requests in a row.

    Attributes:
        start_ns: last answered request before it (the first request where there is none).
        end_ns: first answered request after it (the last request where there is none).
        lost: how many requests got no answer.
        open: nothing was answered after it.
    """

    start_ns: int
    end_ns: int
    lost: int
    open: bool

    @property
    def span_ms(self) -> float:
        """How long a client saw nothing."""
        return (self.end_ns - self.start_ns) / MS


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One probe of one trial.

    Attributes:
        outage_ms: longest gap's span; 0 where nothing was lost.
        first_ok_ms: when the first request after the longest gap was sent, since the first step;
            None where nothing was lost or it never healed.
        retried: requests that were answered only after a connection had been reset.
        served_by: who answered last before the first step.
    """

    sent: int
    lost: int
    outage_ms: float
    first_ok_ms: float | None
    retried: int = 0
    served_by: str = ""


def gaps(records: Sequence[Record]) -> tuple[Gap, ...]:
    """All gaps, in order; `records` by send time."""
    found: list[Gap] = []
    last_ok: int | None = None
    lost = 0
    for record in records:
        if not record.answered:
            lost += 1
            continue
        if lost:
            start = records[0].sent_ns if last_ok is None else last_ok
            found.append(Gap(start, record.sent_ns, lost, open=False))
        last_ok, lost = record.sent_ns, 0
    if lost:
        start = records[0].sent_ns if last_ok is None else last_ok
        found.append(Gap(start, records[-1].sent_ns, lost, open=True))
    return tuple(found)


def figures(records: Sequence[Record], step_ns: int | None = None) -> Figures:
    """What `records` (by send time) say; `step_ns` is when the first step was taken."""
    every = gaps(records)
    longest = max(every, key=lambda gap: gap.span_ms, default=None)
    healed = longest is not None and not longest.open and step_ns is not None
    before = [r for r in records if r.answered and (step_ns is None or r.replied_ns < step_ns)]
    return Figures(
        sent=len(records),
        lost=sum(gap.lost for gap in every),
        outage_ms=round(longest.span_ms, 1) if longest else 0.0,
        first_ok_ms=round((longest.end_ns - step_ns) / MS, 1)
        if healed and longest is not None and step_ns is not None
        else None,
        retried=sum(1 for record in records if record.answered and record.retried),
        served_by=before[-1].who if before else "",
    )
