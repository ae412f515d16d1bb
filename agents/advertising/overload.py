"""Overload is not failure: giving up what a loaded host still serves only moves the load.

Checks that begin to fail while the host is loaded to its limit say that it has too much to do,
not that it is broken. Such a failure is *excused*: the service stays fit, the host makes its
anycast paths longer so that BGP sends it less (its own prefixes are DNS's to shed), and says so.
The excuse lasts while the load does: a service that goes on failing on an idle host is broken.
What was judged unfit before the load came stays unfit.
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
LONGER_BY = 3
LASTS = 60.0
# A report is sent on every change; a load told exactly would be one every second.
_STEPS = 20


class Overload(msgspec.Struct, frozen=True):
    """What is known of this host's load.

    Attributes:
        load: the last measurement.
        high: when it was last at the limit.
        excused: services whose checks fail because of it, now.
        last: service -> when it was last excused.
    """

    load: float = 0.0
    high: float = float("-inf")
    excused: frozenset[str] = frozenset()
    last: Mapping[str, float] = {}

    def loaded(self, now: float) -> bool:
        """Whether a failure now is a sign of load."""
        return now - self.high <= RECENT

    def overloaded(self, now: float) -> frozenset[str]:
        """The services that get less for now."""
        return frozenset(each for each, at in self.last.items() if now - at < LASTS)


def measure(before: Overload, seen: LoadSeen, now: float) -> Overload:
    """After a measurement: the CPU's share, or the busiest uplink's."""
    load = max(seen.cpu, *seen.uplinks.values(), 0.0)
    high = now if load >= HIGH else before.high
    return msgspec.structs.replace(before, load=round(load * _STEPS) / _STEPS, high=high)


def excuse(
    before: Overload, checked: Mapping[str, Judged], fit: Collection[str], now: float
) -> Overload:
    """After a look at the verdicts as ``checked``; ``fit`` are the services taken to be so yet."""
    failing = {name for name, each in checked.items() if not each.fit and name in fit}
    excused = frozenset(failing) if before.loaded(now) else frozenset()
    last = {name: at for name, at in before.last.items() if now - at < LASTS}
    last |= dict.fromkeys(sorted(excused), now)
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
