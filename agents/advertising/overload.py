"""Overload is not failure: giving up what a loaded host still serves only moves the load.

Checks that begin to fail while the host is loaded to its limit say that it has too much to do,
not that it is broken. Such a failure is *excused*: the service stays fit, the host makes its
anycast paths longer so that BGP sends it less (its own prefixes are DNS's to shed), and says so.
The excuse lasts while the load does: a service that goes on failing on an idle host is broken.
What was judged unfit before the load came stays unfit. A *first* verdict under load, of an agent
that just started or woke, is not believed at all (:mod:`serving`).

Checks judge in a fraction of a second, and a load is certain only after one or two. So two things
begin an excuse: a load at the limit within ``RECENT`` seconds, and a *burst* of the CPUs in the
very window in which the checks failed, which excuses for ``LATE`` seconds and no longer, for a
host that is merely busy has bursts all day, and a service that is dead must not live on them. And
a load that is seen up to ``LATE`` seconds after the verdict excuses it in retrospect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from agents.advertising.accept import MOST_PREPENDS
from agents.advertising.fitness import Judged
from agents.advertising.observations import LoadSeen
from ambicast.model.prefixes import contains
from ambicast.model.routes import Advertisement, Attributes

HIGH = 0.9
RECENT = 5.0
# How long after it began a load may become certain.
LATE = 2.0
# A burst is told when it begins and ends, and once a second; with some grace for that.
BURST = 1.2
# And each of its instants is the end of a look at the time before.
AROUND = 0.4
LONGER_BY = 3
LASTS = 60.0
# A report is sent on every change; a load told exactly would be one every second.
_STEPS = 20
_NEVER = float("-inf")


class Overload(msgspec.Struct, frozen=True):
    """What is known of this host's load.

    Attributes:
        load: the last measurement.
        high: when it was last at the limit.
        burst: from when until when the CPUs were last at the limit for a moment.
        excused: services whose checks fail because of it, now -> until when whatever the load.
        last: service -> when it was last excused, or not believed.
    """

    load: float = 0.0
    high: float = _NEVER
    burst: tuple[float, float] = (_NEVER, _NEVER)
    excused: Mapping[str, float] = {}
    last: Mapping[str, float] = {}

    def loaded(self, now: float) -> bool:
        """Whether a failure now is a sign of load."""
        return now - self.high <= RECENT

    def overloaded(self, now: float) -> frozenset[str]:
        """The services that get less for now."""
        return frozenset(each for each, at in self.last.items() if now - at < LASTS)

    def excuses(self, name: str, failed: Judged, now: float) -> float | None:
        """Until when a failure that is none is excused whatever the load; none: it is one."""
        if name in self.excused:
            known = self.excused[name]
            return known if self.loaded(now) or now < known else None
        if self.loaded(now):
            return now
        return now + LATE if self._together(failed) else None

    def blurs(self, first: Judged, now: float) -> bool:
        """Whether a service's *first* verdict, unfit, may be nothing but a sign of load."""
        return self.loaded(now) or (self._together(first) and now < first.since + LATE)

    def _together(self, failed: Judged) -> bool:
        """Whether the CPUs were at the limit while these checks failed."""
        began = failed.since if failed.failing is None else failed.failing
        first, last = self.burst
        return last >= began - AROUND and first <= failed.since + AROUND


def measure(before: Overload, seen: LoadSeen, now: float) -> Overload:
    """After a measurement: the CPU's share, or the busiest uplink's."""
    load = max(seen.cpu, *seen.uplinks.values(), 0.0)
    high = now if load >= HIGH else before.high
    first, last = before.burst
    if seen.burst >= HIGH:
        burst = first if now <= last else now, now + BURST
    else:
        burst = first, min(last, now)
    return msgspec.structs.replace(
        before, load=round(load * _STEPS) / _STEPS, high=high, burst=burst
    )


def excuse(
    before: Overload,
    checked: Mapping[str, Judged],
    fit: Collection[str],
    now: float,
    *,
    unsaid: Collection[str] = (),
) -> Overload:
    """After a look at the verdicts as ``checked``.

    ``fit`` are the services taken to be so yet, and those that were until a moment ago;
    ``unsaid`` those whose first verdict waits for the load to end: they get less, too.
    """
    failing = {name: each for name, each in checked.items() if not each.fit and name in fit}
    untils = {name: before.excuses(name, each, now) for name, each in failing.items()}
    excused = {name: until for name, until in untils.items() if until is not None}
    last = {name: at for name, at in before.last.items() if now - at < LASTS}
    last |= dict.fromkeys([*sorted(excused), *sorted(unsaid)], now)
    if excused == before.excused and last == before.last:
        return before
    return msgspec.structs.replace(before, excused=excused, last=last)


def effective(
    before: Mapping[str, Judged], checked: Mapping[str, Judged], excused: Collection[str]
) -> Mapping[str, Judged]:
    """The verdicts that count: an excused service is fit, but in doubt."""
    found: dict[str, Judged] = {}
    for name, each in checked.items():
        last, now = before.get(name), each
        if name in excused:
            now = msgspec.structs.replace(each, fit=True, doubt=True)
        if last is not None and last.fit == now.fit:
            now = msgspec.structs.replace(now, since=last.since)
        found[name] = now
    return found


def longer(
    advertisements: Iterable[Advertisement], anycast: Iterable[str]
) -> frozenset[Advertisement]:
    """The same, with longer paths for ``anycast`` prefixes and their parts."""
    everywhere = tuple(anycast)
    return frozenset(
        msgspec.structs.replace(each, attributes=_longer(each.attributes))
        if any(contains(prefix, each.prefix) for prefix in everywhere)
        else each
        for each in advertisements
    )


def _longer(attributes: Attributes) -> Attributes:
    prepend = min(attributes.prepend + LONGER_BY, MOST_PREPENDS)
    return msgspec.structs.replace(attributes, prepend=prepend)
