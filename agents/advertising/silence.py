"""Silence: a way out, or a host beside this one, from which nothing comes back any more.

A withdrawal cannot travel over a silent session, and the neighbor goes on attracting traffic with
what it was last told until hold timers end. What was advertised is therefore remembered at the
first moment of silence: that has to be beaten (see :mod:`splits`), not what orders say later.

An *uplink* is silent when its probes have not been answered for ``SILENT`` seconds while those
through another uplink of the same family are: if nobody answers through any uplink, the others
are gone, not the uplinks. BFD (RFC 5880) needs no such patience. An uplink that never worked
proves nothing by not working: it may never have been set up. One that did in an earlier run of the
agent counts once its neighbor has been sent something in this one (only then is there anything to
beat), and after ``REMEMBERED`` seconds: a host that boots sets up one thing after the other. A
*sibling* is silent when none of its paths is up for as
long, other PoPs are seen, and none of them says that it sees the sibling. Families apart, always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from agents.advertising.scene import Scene, Way
from ambicast.model.fleet import Timing
from ambicast.model.prefixes import family

# Seconds since the last answer: a gap of 300 ms, or two of them, must change nothing.
SILENT = 0.6
# The same for an uplink that has not worked since the agent was started.
REMEMBERED = 3.0


class Silence(msgspec.Struct, frozen=True):
    """A way from which nothing comes.

    Attributes:
        since: when that was first noticed.
        had: the prefixes that were advertised that way at that moment.
        confirmed: it is the way that fails, and has for long enough.
    """

    since: float
    had: frozenset[str]
    confirmed: bool = False


Silences = Mapping[Way, Silence]


def confirmed(silences: Silences) -> frozenset[Way]:
    """The ways that are silent without doubt."""
    return frozenset(way for way, each in silences.items() if each.confirmed)


def confirm_after(timing: Timing) -> float:
    """Seconds from the first notice to the confirmation; the watch has waited its window."""
    return max(0.0, SILENT - timing.watch_interval * timing.watch_misses)


def uplinks(
    before: Silences, once_forwarded: frozenset[Way], proven: frozenset[Way], scene: Scene
) -> Silences:
    """The own uplinks from which nothing comes now.

    Args:
        before: those of the last look.
        once_forwarded: where BFD was up in this run.
        proven: which have worked in some run, and whose neighbor was sent something in this one.
        scene: this moment.
    """
    down = {way for way in once_forwarded if scene.forwards(way) is False}
    able = scene.worked | proven
    mute = {way for way in scene.ways() if way in able and scene.answered(way) is False}
    works = {way for way in scene.ways() if _works(way, scene) and way not in down}

    def had(way: Way) -> frozenset[str]:
        return frozenset(
            each.prefix
            for each in scene.rib
            if each.uplink == way[0] and family(each.prefix) is way[1]
        )

    def believed(way: Way, since: float) -> bool:
        if not any(name != way[0] and kind is way[1] for name, kind in works):
            return False
        patience = confirm_after(scene.fleet.timing) if way in scene.worked else REMEMBERED
        return way in down or scene.now >= since + patience

    return _follow(
        before, [way for way in scene.ways() if way in mute | down], had, believed, scene
    )


def siblings(before: Silences, once_seen: frozenset[Way], scene: Scene) -> Silences:
    """The other hosts of this PoP that are not seen now; ``once_seen``: they were, in this run."""
    seen = _siblings_seen(scene)
    quiet = [way for way, up in seen.items() if not up and way in once_seen]

    def had(way: Way) -> frozenset[str]:
        return frozenset(each.prefix for each in scene.rib if family(each.prefix) is way[1])

    def believed(way: Way, since: float) -> bool:
        long_enough = scene.now >= since + confirm_after(scene.fleet.timing)
        return long_enough and _others_seen(way, scene) and not _seen_by_others(way, scene)

    return _follow(before, quiet, had, believed, scene)


def siblings_up(scene: Scene) -> frozenset[Way]:
    """The other hosts of this PoP that are seen now."""
    return frozenset(way for way, up in _siblings_seen(scene).items() if up)


def _follow(
    before: Silences,
    quiet: Iterable[Way],
    had: Callable[[Way], frozenset[str]],
    believed: Callable[[Way, float], bool],
    scene: Scene,
) -> Silences:
    """The silences now; what was confirmed stays so until something is heard."""
    if not scene.attentive:
        # Our own ears were shut: what was not certain begins anew.
        return {way: each for way, each in before.items() if each.confirmed}
    found: dict[Way, Silence] = {}
    for way in quiet:
        silence = before.get(way) or Silence(scene.now, had(way))
        if not silence.confirmed and believed(way, silence.since):
            silence = msgspec.structs.replace(silence, confirmed=True)
        found[way] = silence
    return found


def _works(way: Way, scene: Scene) -> bool:
    return scene.answered(way) is True and scene.carries(way[0])


def _siblings_seen(scene: Scene) -> dict[Way, bool]:
    found: dict[Way, bool] = {}
    for each in scene.watched.seen if scene.watched else ():
        if each.pop == scene.pop.name and each.host not in {"", scene.host}:
            way = (each.host, each.family)
            found[way] = found.get(way, False) or each.up
    return found


def _others_seen(way: Way, scene: Scene) -> bool:
    """Whether this host sees another PoP in that family: else it is itself that is cut off."""
    seen = scene.watched.seen if scene.watched else ()
    return any(each.up and each.family is way[1] and each.pop != scene.pop.name for each in seen)


def _seen_by_others(way: Way, scene: Scene) -> bool:
    return any(
        each.up and each.host == way[0] and each.family is way[1]
        for word in scene.heard.words
        if word.pop != scene.pop.name
        for each in word.seen
    )
