"""By which uplink answers leave: the first that works, and then no change without need.

ExaBGP installs no routes, so the default route is ours. Of the uplinks in name order the first
with carrier and answered probes is taken, per family; it is kept while it works, also when an
earlier one returns (every change moves flows). If none works the current one stays: then more
likely everybody else is gone than every uplink. An uplink that flaps is held down and not taken
(:mod:`uplink_hold`), and one that loses packets is left where another loses none; for a return it
would take the same on the other one, so nothing swings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from agents.advertising.observations import KernelSeen, Watched
from agents.advertising.scene import Way
from agents.advertising.weather import Weather
from ambicast.contract.messages import UplinkState
from ambicast.model.identifiers import Family, UplinkName
from ambicast.model.pops import Pop

# At the start the first answers come uplink by uplink; so long an uplink that has not worked yet
# is no worse than one that has. Ten probes fit in.
FIRST_ANSWERS = 1.0

# Shares of the probes of the last ten seconds: TCP halves its speed long before the higher one,
# and the lower one is weather everywhere.
LOSSY = 0.05
CLEAN = 0.01


class UplinkKnowledge(Protocol):
    """The part of the host's state that this decision looks at."""

    @property
    def kernel(self) -> KernelSeen | None: ...
    @property
    def watched(self) -> Watched | None: ...
    @property
    def watched_first(self) -> float | None: ...
    @property
    def worked(self) -> frozenset[tuple[str, Family]]: ...
    @property
    def default_uplink(self) -> Mapping[Family, str]: ...
    @property
    def weather(self) -> Weather: ...


def worked_now(watched: Watched) -> frozenset[tuple[str, Family]]:
    """The (uplink, family) pairs whose probes come back."""
    return frozenset(
        (uplink, kind)
        for uplink, families in watched.working.items()
        for kind, works in families.items()
        if works
    )


def choose(pop: Pop, state: UplinkKnowledge, now: float) -> dict[Family, str]:
    """The uplink each family shall leave by; nothing before the kernel was read."""
    found: dict[Family, str] = {}
    if state.kernel is None:
        return found
    for kind in Family:
        names = [name for name in sorted(pop.uplinks) if kind in pop.uplinks[name].families]
        if names:
            found[kind] = _choose_one(kind, names, state, now)
    return found


def _choose_one(
    kind: Family, names: Sequence[UplinkName], state: UplinkKnowledge, now: float
) -> str:
    carrier = state.kernel.carrier if state.kernel else {}
    in_use = state.kernel.default_uplink.get(kind) if state.kernel else None
    current = state.default_uplink.get(kind, in_use)
    held = state.weather.held_down(now)
    allowed = [name for name in names if (name, kind) not in held] or names
    with_carrier = [name for name in allowed if carrier.get(name, False)]
    if current is None or current not in names:
        return [*with_carrier, *allowed][0]
    if state.watched is None or state.watched_first is None or state.watched.paused:
        return _kept_or_first(current, with_carrier)
    works = worked_now(state.watched) - state.weather.silent
    working = [name for name in with_carrier if (name, kind) in works]
    early = (current, kind) not in state.worked and now - state.watched_first < FIRST_ANSWERS
    if early or not working:
        return _kept_or_first(current, with_carrier)
    return _cleaner(_kept_or_first(current, working), working, state.watched.loss)


def _cleaner(chosen: str, working: Sequence[str], loss: Mapping[str, float]) -> str:
    """The chosen uplink, or the first that loses nothing where that one loses much."""
    clean = [name for name in working if loss.get(name, 1.0) < CLEAN]
    return clean[0] if clean and loss.get(chosen, 0.0) >= LOSSY else chosen


def _kept_or_first(current: str, usable: Sequence[str]) -> str:
    """The current uplink while it is usable, or if none is; else the first that is."""
    return current if current in usable or not usable else usable[0]


def uplink_states(
    pop: Pop,
    kernel: KernelSeen | None,
    watched: Watched | None,
    before: Sequence[UplinkState],
    now: float,
    held_down: Collection[Way] = (),
) -> tuple[UplinkState, ...]:
    """Carrier and probes of every uplink; ``since`` is the instant of its last change.

    The loss is no such change; it is told in whole percents, so that not every probe is news.

    None before both were looked at: "not known yet" must not be told as "down".
    """
    if kernel is None or watched is None:
        return ()
    known = {each.uplink: each for each in before}
    found = []
    for name in sorted(pop.uplinks):
        working = watched.working.get(name, {})
        families = pop.uplinks[name].families
        state = UplinkState(
            uplink=name,
            carrier=kernel.carrier.get(name, False),
            working={kind: working.get(kind, False) for kind in families},
            since=now,
            loss=round(watched.loss.get(name, 0.0), 2),
            held_down=any(uplink == name for uplink, _ in held_down),
        )
        last = known.get(name)
        if last is not None and _same(last, state):
            state = msgspec.structs.replace(state, since=last.since)
        found.append(last if last == state else state)
    return tuple(found)


def _same(last: UplinkState, state: UplinkState) -> bool:
    return msgspec.structs.replace(last, since=0.0, loss=0.0) == msgspec.structs.replace(
        state, since=0.0, loss=0.0
    )
