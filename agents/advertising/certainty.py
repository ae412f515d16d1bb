"""How long a failure waits for the words of those who may have failed with it.

A host gives up what somebody else is fit for. So that many that fail together find out, a word
that says "fit" is heeded only once its sender, had it failed when we did, would have said so, and
we would have heard it: after one interval of the checks, the time to its next probe, and one
round trip. How long that is depends on who says it. Whoever is near is believed first, and that
is enough: a host that leaves relies on one that began to fail later than itself, or not at all,
so of hosts that rely on each other one is the last, and that one stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from agents.advertising.fitness import Judged
from agents.advertising.hearing import Hearing
from agents.advertising.observations import Told
from ambicast.model.identifiers import ServiceName
from ambicast.model.services import Service

# How long another host's first failing check may be on its way to us, in seconds: at least,
# because a word passes through two agents and a responder, and at most.
WORD = 0.1
LONGEST_WORD = 0.5
# Checks and their outcomes jitter; so much less than the full wait is as good.
SLACK = 0.02

Checked = Mapping[ServiceName, Service]


def delay(told: Told, interval: float) -> float:
    """How long a word of this host may take to us, probed every ``interval`` seconds."""
    return min(max(interval + told.rtt, WORD), LONGEST_WORD)


def settled(each: Judged, service: Service | None, word: float) -> float:
    """From when on another host can no longer have failed with this service without our knowing.

    Its first failing check comes at most one interval after ours, and its word after ``word``
    seconds. With checks as dense as the watch (interval and fast interval 0.1 s, three failures)
    and hosts near by, that is when the verdict turns, so no time is lost; with lazy checks or
    distant hosts it is a little later.
    """
    checks = service.checks if service else ()
    longest = max((check.interval for check in checks), default=0.0)
    began = each.since if each.failing is None else each.failing
    return began + longest + word - SLACK if checks else began


def certain(
    heard: Hearing,
    behind: Collection[ServiceName],
    services: Mapping[str, Judged],
    checks: Checked,
    interval: float,
    now: float,
) -> Hearing:
    """The words that may be relied on, now that every service ``behind`` is judged unfit here."""

    def late_enough(told: Told) -> bool:
        word = delay(told, interval)
        return all(now >= settled(services[name], checks.get(name), word) for name in behind)

    return Hearing(heard.there, tuple(told for told in heard.words if late_enough(told)))


def next_look(
    services: Mapping[str, Judged], checks: Checked, heard: Hearing, interval: float, now: float
) -> float | None:
    """When to look again although nothing happened: a word about a failing service counts."""
    failing = {name: each for name, each in services.items() if each.failing is not None}
    words = {delay(told, interval) for told in heard.words} if failing else set()
    due = [
        settled(each, checks.get(ServiceName(name)), word)
        for name, each in failing.items()
        for word in words
    ]
    return min((at for at in due if at > now), default=None)
