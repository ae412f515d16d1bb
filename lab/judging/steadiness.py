"""The rows of expectations that something stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from lab.judging.agreement import MS
from lab.judging.coverage import CoverageSample
from lab.judging.egress import EgressSample
from lab.judging.received import ReceivedSample, back_after
from lab.judging.refusals import Refusal
from lab.judging.routing import RouteLog
from lab.judging.rows import Happening, Row
from lab.judging.sessions import SessionSample, ended
from lab.judging.world import Answered
from lab.scenarios.shapes import (
    RouteCountExpectation,
    RouteTimeExpectation,
    SteadyExpectation,
    TakeoverExpectation,
)

TOLD: Final = 3
TAKEN: Final = re.compile(r"\btaken[- ]over\b|\btakeover\b")


class Change(msgspec.Struct, frozen=True):
    """A nameserver began to answer something else."""

    t_ns: int
    asked: Answered
    address: str | None


class Steadiness(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial measured of all that should not move; `zero_ns`: the load started.

    `demand` is each client's, `capacity` each PoP's, bits per second.
    """

    zero_ns: int
    routes: RouteLog
    sessions: Sequence[SessionSample] = ()
    coverage: Sequence[CoverageSample] = ()
    changes: Sequence[Change] = ()
    received: Sequence[ReceivedSample] = ()
    refusals: Sequence[Refusal] = ()
    egress: Sequence[EgressSample] = ()
    demand: Mapping[str, float] = {}
    capacity: Mapping[str, float] = {}


class Timed(Protocol):
    """When things were done in a trial."""

    @property
    def steps(self) -> Sequence[int]: ...
    @property
    def end_ns(self) -> int: ...
    @property
    def events(self) -> Sequence[Happening]: ...


def route_count(wanted: RouteCountExpectation, found: Steadiness, times: Timed) -> Row:
    """How many changes, or withdrawals."""
    since, scope = since_step(wanted.after, found, times)
    if wanted.what == "changed":
        changes = found.routes.changes(since, wanted.family)
        told = [
            f"{e.node} {e.what} {e.prefix} at {at_second(e.t_ns, found)}" for e in changes[:TOLD]
        ]
        family = f" of {wanted.family}" if wanted.family else ""
        return _count(f"routes changed{family}{scope}", len(changes), wanted.bound, told)
    assert wanted.pop is not None
    counts = found.routes.withdrawals(wanted.pop, since)
    most = max(counts.values(), default=0)
    told = [f"{prefix} {count} times" for prefix, count in counts.items() if count == most]
    return _count(f"withdrawals of {wanted.pop}{scope}", most, wanted.bound, told[:TOLD])


def route_time(wanted: RouteTimeExpectation, found: Steadiness, times: Timed) -> Row:
    """How long until the routes were the same again, or gone."""
    start = times.steps[wanted.after - 1]
    end = times.steps[wanted.after] if wanted.after < len(times.steps) else times.end_ns
    log = found.routes
    if wanted.what == "same":
        before = log.at(start)
        taken = log.since_when(lambda now: now == before, start, end)
        text = f"routes the same after step {wanted.after}"
    elif wanted.what == "back":
        pop = wanted.pop or ""
        taken = back_after(found.received, pop, start, end)
        text = f"routes of {pop} back after step {wanted.after}"
    else:
        pop = wanted.pop or ""
        taken = log.since_when(lambda now: not log.leads_to(pop, now), start, end)
        text = f"routes to {pop} gone after step {wanted.after}"
    within = wanted.within * 1e3
    ok = taken is not None and taken <= within
    return Row(text=text, measured=taken, bound=f"<= {within:g} ms", ok=ok)


def takeovers(wanted: TakeoverExpectation, found: Steadiness, times: Timed) -> Row:
    """How many PoPs were taken over, by what the controller reported."""
    since, scope = since_step(wanted.after, found, times)
    told = [
        f"{event.kind}: {event.text} at {at_second(event.t_ns, found)}"
        for event in times.events
        if event.t_ns >= since
        and event.kind.startswith("pop.")
        and (event.kind == "pop.lost" or TAKEN.search(event.text.partition("->")[2]))
    ]
    return _count(f"takeovers{scope}", len(told), wanted.bound, told[:TOLD])


def steady(wanted: SteadyExpectation, found: Steadiness, times: Timed) -> Row:
    """How often what should hold did not."""
    since, scope = since_step(wanted.after, found, times)
    match wanted.subject:
        case "session":
            return _sessions(found, since, scope)
        case "advertised":
            return _advertised(found, since, scope, exact=wanted.exact)
        case "answers":
            return _answers(wanted.family, found, since, scope)


def _sessions(found: Steadiness, since: int, scope: str) -> Row:
    gone = ended(found.sessions, since)
    told = [f"{c.router} lost {c.peer} at {at_second(t, found)}" for t, c in gone[:TOLD]]
    looked = any(sample.standing for sample in found.sessions)
    return _none(f"BGP sessions dropped{scope}", len(gone) if looked else None, told, "")


def _advertised(found: Steadiness, since: int, scope: str, *, exact: bool) -> Row:
    looks = [
        (sample.t_ns, sample.inexact if exact else sample.missing)
        for sample in found.coverage
        if sample.t_ns >= since
    ]
    bad = [(t_ns, prefixes) for t_ns, prefixes in looks if prefixes]
    told = [f"{', '.join(gone[:TOLD])} at {at_second(t_ns, found)}" for t_ns, gone in bad[:1]]
    text = f"looks with a prefix nobody routes{' as it is' if exact else ''}{scope}"
    return _none(text, len(bad) if looks else None, told, "")


def _answers(family: str | None, found: Steadiness, since: int, scope: str) -> Row:
    """Silence is no change: a lost query says nothing of the answers."""
    first: dict[Answered, str] = {}
    told: dict[Answered, str] = {}
    heard = False
    for change in found.changes:
        if change.address is None or (family is not None and change.asked.family != family):
            continue
        heard = True
        if change.t_ns < since or change.asked not in first:
            first[change.asked] = change.address
        elif change.address != first[change.asked] and change.asked not in told:
            who = f"{change.asked.nameserver} tells {change.asked.client} {change.asked.family}"
            told[change.asked] = f"{who} {change.address} at {at_second(change.t_ns, found)}"
    text = f"answers changed{f' of {family}' if family else ''}{scope}"
    return _none(text, len(told) if heard else None, list(told.values())[:TOLD], "")


def since_step(after: int | None, found: Steadiness, times: Timed) -> tuple[int, str]:
    """The instant of a step (the load's start without), and how rows say so."""
    if after is None:
        return found.zero_ns, ""
    return times.steps[after - 1], f" after step {after}"


def at_second(t_ns: int, found: Steadiness) -> str:
    """An instant as seconds since the load started."""
    return f"{(t_ns - found.zero_ns) / MS / 1e3:.2f} s"


class _Holds(Protocol):
    @property
    def text(self) -> str: ...
    def holds(self, measured: float | None) -> bool: ...


def _count(text: str, measured: int, bound: _Holds, told: Sequence[str]) -> Row:
    ok = bound.holds(measured)
    return Row(
        text=text,
        measured=measured,
        bound=bound.text,
        ok=ok,
        unit="",
        why="" if ok else "; ".join(told),
    )


def _none(text: str, measured: int | None, told: Sequence[str], unit: str) -> Row:
    why = "; ".join(told) if measured is not None else "nothing was seen"
    return Row(text=text, measured=measured, bound="0", ok=measured == 0, unit=unit, why=why)
