"""From replies to judgements: which paths are up, which exits work.

Every path and every exit has a *pulse*: when it was last heard, and what that means. Silence for
longer than the window (``watch_misses`` intervals) means down; one reply means up. Nothing is
judged before it was heard or a whole window has passed. An exit is judged by other PoPs alone: a
host of the same PoP may be reached behind the same router.

When the loop that calls us stood still, silence proves nothing: it is our own. A gap between two
judgements of more than two intervals therefore restarts every window, and ``paused`` stays true
until a whole one has passed.

Not a fold over immutable snapshots but an object, because it hears some hundred replies per
second; it still reads no clock: the same calls with the same ``now`` give the same judgements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from agents.watch.targets import Exit, Path


class Pulse(msgspec.Struct, frozen=True, gc=False):
    """One path or exit: last heard (or the start), up or not or not yet judged, since when."""

    heard: float
    up: bool | None
    since: float


def hear(pulse: Pulse, now: float) -> Pulse:
    """A reply came."""
    return Pulse(now, True, pulse.since if pulse.up else now)


def fade(pulse: Pulse, now: float, window: float) -> Pulse:
    """Time passed without one."""
    if pulse.up is False or now - pulse.heard <= window:
        return pulse
    return Pulse(pulse.heard, False, now)


def restart(pulse: Pulse, now: float) -> Pulse:
    """Nobody listened until now: what was known stays, and the window starts anew."""
    return Pulse(now, pulse.up, pulse.since)


class Judgement(NamedTuple):
    """What is judged so far; pulses of paths and exits that are not are left out."""

    paths: Mapping[Path, Pulse]
    exits: Mapping[Exit, Pulse]
    paused: bool


class Sight:
    """The pulses of every path and exit of one watcher."""

    def __init__(
        self, paths: Iterable[Path], exits: Iterable[Exit], interval: float, misses: int
    ) -> None:
        self._paths = dict.fromkeys(paths, Pulse(0.0, None, 0.0))
        self._exits = dict.fromkeys(exits, Pulse(0.0, None, 0.0))
        self._window = interval * misses
        self._longest_gap = interval * 2
        self._looked: float | None = None
        self._paused_at: float | None = None
        self._changed = False

    def hear(self, path: Path, way_out: Exit | None, now: float) -> None:
        """A reply to a probe along ``path``, sent through ``way_out``, arrived at ``now``."""
        before = self._paths[path]
        self._paths[path] = hear(before, now)
        if not before.up:
            self._changed = True
        if way_out is None:
            return
        gone = self._exits[way_out]
        self._exits[way_out] = hear(gone, now)
        if not gone.up:
            self._changed = True

    def judge(self, now: float) -> bool:
        """Look at every pulse; whether any judgement changed since the last look."""
        if self._looked is None:
            self._restart(now)
        elif now - self._looked > self._longest_gap:
            self._restart(now)
            self._paused_at = now
            self._changed = True
        elif self._paused_at is not None and now - self._paused_at > self._window:
            self._paused_at = None
            self._changed = True
        self._looked = now
        self._fade(now)
        changed, self._changed = self._changed, False
        return changed

    def judgement(self) -> Judgement:
        """Everything that is judged."""
        return Judgement(
            {path: pulse for path, pulse in self._paths.items() if pulse.up is not None},
            {way: pulse for way, pulse in self._exits.items() if pulse.up is not None},
            self._paused_at is not None,
        )

    def _fade(self, now: float) -> None:
        oldest = now - self._window
        for path, pulse in self._paths.items():
            if pulse.heard < oldest and pulse.up is not False:
                self._paths[path] = fade(pulse, now, self._window)
                self._changed = True
        for way, pulse in self._exits.items():
            if pulse.heard < oldest and pulse.up is not False:
                self._exits[way] = fade(pulse, now, self._window)
                self._changed = True

    def _restart(self, now: float) -> None:
        self._paths = {path: restart(pulse, now) for path, pulse in self._paths.items()}
        self._exits = {way: restart(pulse, now) for way, pulse in self._exits.items()}
