"""From what the checks say to what counts: which services are fit, doubted, excused, held down.

One verdict passes four stations: the check's own hysteresis (agents/probes), the excuse of a
loaded host (:mod:`overload`), the record of failures, and the hold-down that follows from it
(:mod:`hold_down`). Everything after them looks at the result only.

After a standstill every verdict is old, and the dead man's switch may have withdrawn what was fit
then: no service is judged until its checks have spoken anew. What is advertised stays, and nothing
is added.

A first verdict that is unfit, of an agent that just started or woke, says nothing on a loaded
host: whether the service was fit before the load came is not known. It stays unjudged until the
load has gone, or its checks pass; and the host asks for less meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agents.advertising.fitness import Judged
from agents.advertising.hold_down import Falls, pardon, remember
from agents.advertising.observations import LoadSeen, ServiceChecked, StoodStill
from agents.advertising.overload import LATE, Overload, effective, excuse, measure


class Serving(msgspec.Struct, frozen=True):
    """This host's services; one that is not here is not judged yet.

    Attributes:
        checked: what the checks say.
        services: what counts.
        overload: this host's load, and whom it excuses.
        falls: the record of failures.
        fallen: what failed a moment ago -> its record before that, should it turn out excused.
        held_down: fit services that must go on passing -> for how long in all, in seconds.
        waking: not judged since a standstill -> whether they counted as fit before it.
    """

    checked: Mapping[str, Judged] = {}
    services: Mapping[str, Judged] = {}
    overload: Overload = Overload()
    falls: Mapping[str, Falls] = {}
    fallen: Mapping[str, Falls | None] = {}
    held_down: Mapping[str, float] = {}
    waking: Mapping[str, bool] = {}

    @property
    def undoubted(self) -> frozenset[str]:
        """The services others may rely on: fit, without doubt, and out of their hold-down."""
        return frozenset(
            name
            for name, each in self.services.items()
            if each.fit and not each.doubt and name not in self.held_down
        )


def learned(before: Serving, seen: ServiceChecked | LoadSeen | StoodStill, now: float) -> Serving:
    """After a word from the checks, a measurement of the load, or a standstill."""
    if isinstance(seen, StoodStill):
        return _unjudged(before)
    if isinstance(seen, LoadSeen):
        return msgspec.structs.replace(before, overload=measure(before.overload, seen, now))
    if seen.service in before.waking and seen.service not in before.checked and seen.doubt:
        return before  # fit as of old, and the first new check says otherwise
    last = before.checked.get(seen.service)
    since = last.since if last is not None and last.fit == seen.fit else now
    failing = None
    if not seen.fit or seen.doubt:
        failing = now if last is None or last.failing is None else last.failing
    judged = Judged(seen.fit, seen.detail, since, seen.doubt, failing)
    return msgspec.structs.replace(before, checked={**before.checked, seen.service: judged})


def _unjudged(before: Serving) -> Serving:
    """After a standstill: nothing the checks said counts any more."""
    waking = {**before.waking, **{name: each.fit for name, each in before.services.items()}}
    overload = msgspec.structs.replace(before.overload, excused={})
    return Serving(overload=overload, falls=before.falls, waking=waking)


def serve(
    before: Serving, settle: float, pardoned: frozenset[str], now: float, unix: float
) -> Serving:
    """What counts now.

    Args:
        before: as it was, with what the checks and the load have said since.
        settle: the hold-down after a first failure, in seconds.
        pardoned: services nobody else is fit for.
        now: seconds of the caller's clock.
        unix: the same instant in seconds since the Unix epoch.
    """
    were = {name for name, each in before.services.items() if each.fit}
    lately = {name for name in before.fallen if now - before.checked[name].since < LATE}
    judgeable = _judgeable(before, now)
    unsaid = frozenset(before.checked) - set(judgeable)
    overload = excuse(before.overload, judgeable, were | lately, now, unsaid=unsaid)
    services = effective(before.services, judgeable, overload.excused)
    fit = {name: each.fit for name, each in services.items()}
    forgiven = [name for name in sorted(lately) if name in overload.excused]
    known = _as_before(before.falls, {name: before.fallen[name] for name in forgiven})
    was = dict.fromkeys(before.services, False) | dict(before.waking)
    was |= dict.fromkeys([*sorted(were), *forgiven], True)
    falls = pardon(remember(known, was, fit, settle, unix), pardoned)
    held = {
        name: falls[name].wait(settle)
        for name in sorted(falls)
        if fit.get(name, False) and falls[name].held(settle, unix)
    }
    fallen = {name: before.fallen[name] for name in sorted(lately) if not fit[name]}
    fallen |= {name: known.get(name) for name in sorted(were) if not fit[name]}
    waking = {name: was for name, was in before.waking.items() if name not in fit}
    after = Serving(before.checked, services, overload, falls, fallen, held, waking)
    return before if after == before else after


def _judgeable(before: Serving, now: float) -> Mapping[str, Judged]:
    """The verdicts but those that are the first, unfit, and perhaps but a sign of load."""
    known, overload = before.services, before.overload
    return {
        name: each
        for name, each in before.checked.items()
        if each.fit or name in known or not overload.blurs(each, now)
    }


def _as_before(
    falls: Mapping[str, Falls], forgiven: Mapping[str, Falls | None]
) -> Mapping[str, Falls]:
    """The record without failures that were none."""
    restored = {**falls, **forgiven}
    return {name: each for name, each in restored.items() if each is not None}
