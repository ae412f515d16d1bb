"""From outcomes of single checks to a verdict that does not flap, and when to check next.

A verdict turns after ``rise`` successes or ``fall`` failures in a row. While outcomes disagree
with it (or there is none yet) the next check starts ``fast_interval`` after the last one started,
else ``interval`` after. Counted from start to start, so a check that hangs delays nothing: while
one is unanswered the next starts after ``fast_interval`` too, before it is known to have failed.

So a service that begins to refuse is found out within ``interval + (fall - 1) * fast_interval``,
and one that hangs within that and one ``timeout``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ambicast.model.services import Check


class Passed(msgspec.Struct, frozen=True):
    """The check got the answer it wanted."""


class Failed(msgspec.Struct, frozen=True):
    """It did not; why in few words (``http 503``, ``refused``, ``timeout``)."""

    reason: str


Outcome = Passed | Failed


class Standing(msgspec.Struct, frozen=True):
    """One check so far.

    Attributes:
        fit: the verdict, or none yet.
        streak: how many outcomes in a row now disagree with it.
        leaning: what those say.
        detail: why unfit; empty when fit.
    """

    fit: bool | None = None
    streak: int = 0
    leaning: bool | None = None
    detail: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether the verdict is missing or about to turn."""
        return self.fit is None or self.streak > 0


def fold(standing: Standing, outcome: Outcome, check: Check) -> Standing:
    """The standing after one more outcome."""
    good = isinstance(outcome, Passed)
    reason = outcome.reason if isinstance(outcome, Failed) else ""
    if good == standing.fit:
        return Standing(fit=good, detail=reason)
    streak = standing.streak + 1 if good == standing.leaning else 1
    if streak >= (check.rise if good else check.fall):
        return Standing(fit=good, detail=reason)
    return Standing(standing.fit, streak, good, standing.detail)


def due(standing: Standing, started: float, pending: int, check: Check) -> float | None:
    """When the next check starts; none: not before one of the pending ones ended.

    Args:
        standing: the check so far.
        started: when the last one started.
        pending: how many have started and not ended.
        check: its intervals.
    """
    if pending >= max(check.fall, check.rise):
        return None
    hurry = standing.doubtful or pending > 0
    return started + (check.fast_interval if hurry else check.interval)


class Verdict(msgspec.Struct, frozen=True):
    """A whole service: fit when all of its checks are.

    ``doubt``: it is fit, but one of its checks has just failed; nobody shall rely on it now.
    """

    fit: bool
    detail: str = ""
    doubt: bool = False


def verdict(standings: Sequence[Standing]) -> Verdict | None:
    """Of all checks of a service together: one unfit is enough, and fit needs all."""
    unfit = [standing.detail for standing in standings if standing.fit is False]
    if unfit:
        return Verdict(fit=False, detail=", ".join(dict.fromkeys(unfit)))
    if all(standing.fit for standing in standings):
        return Verdict(fit=True, doubt=any(standing.streak for standing in standings))
    return None
