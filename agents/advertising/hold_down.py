"""A service that keeps failing must pass longer and longer before it is advertised again.

Following the edges of a flapping service costs its clients most of the time (283 s of 480 in the
simulation, against 1 s for a latch), and damping punishes the prefix on top. So after its n-th
failure within 15 minutes a service must pass for ``settle_down * 2^(n-1)`` seconds, at most ten
minutes, before what was withdrawn for it comes back. Nothing is withdrawn for a hold-down: what
stayed advertised (nobody else was fit) stays.

The record is kept on disk, and its instants are seconds since the Unix epoch: a restart must not
be a pardon. A clock that was set makes records from the future, which are forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

MEMORY = 900.0
LONGEST = 600.0


class Falls(msgspec.Struct, frozen=True):
    """One service's failures. Instants are seconds since the Unix epoch.

    Attributes:
        at: when it failed, within the memory.
        passing: since when it passes again; none while it fails.
        pardoned: the hold-down ended early, because nobody else was fit.
    """

    at: tuple[float, ...] = ()
    passing: float | None = None
    pardoned: bool = False

    def wait(self, settle: float) -> float:
        """How long it must pass after the last failure, in seconds; 0 if it never failed."""
        if not self.at:
            return 0.0
        return float(min(settle * 2 ** min(len(self.at) - 1, 16), LONGEST))

    def held_until(self, settle: float) -> float:
        """When it may be advertised again: never while it fails, at once where it never did."""
        if self.pardoned or not self.at:
            return float("-inf")
        return float("inf") if self.passing is None else self.passing + self.wait(settle)

    def held(self, settle: float, unix: float) -> bool:
        """Whether it must go on passing."""
        return unix < self.held_until(settle)


def remember(
    falls: Mapping[str, Falls],
    before: Mapping[str, bool],
    after: Mapping[str, bool],
    settle: float,
    unix: float,
) -> Mapping[str, Falls]:
    """The record after verdicts ``before`` (service -> fit) became ``after``.

    The first verdict after a restart is compared with the record. What was never fit has not
    failed: a service that is not up yet when its host boots costs no hold-down.
    """
    found = dict(falls)
    for service, fit in after.items():
        known = _pruned(found.get(service), settle, unix)
        was = before.get(service, known is not None and known.passing is not None)
        if was and not fit:
            at = (*(known.at if known else ()), unix)
            found[service] = Falls(at=at)
        elif known is None:
            found.pop(service, None)
        elif fit and known.passing is None:
            found[service] = msgspec.structs.replace(known, passing=unix)
        else:
            found[service] = known
    return falls if found == falls else found


def pardon(falls: Mapping[str, Falls], services: frozenset[str]) -> Mapping[str, Falls]:
    """The record once ``services`` need not wait: nobody else is fit for them."""
    return {
        service: msgspec.structs.replace(each, pardoned=True)
        if service in services and each.passing is not None
        else each
        for service, each in falls.items()
    }


def _pruned(known: Falls | None, settle: float, unix: float) -> Falls | None:
    """The record without what is too old to count, or came from a clock that was wrong.

    Nothing is forgotten while it still holds a service down: a wait must not shrink under way.
    """
    if known is None or (known.held(settle, unix) and max(known.at) <= unix):
        return known
    at = tuple(each for each in known.at if 0 <= unix - each <= MEMORY)
    if not at:
        return None
    return known if at == known.at else msgspec.structs.replace(known, at=at)
