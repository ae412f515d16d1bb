"""Uplinks that come and go are left alone for a while, so that nobody has to follow them.

Each coming and going makes the neighbors' neighbors look for other ways, and after a few the
damping of others decides (RFC 2439). An uplink that changed three times within a minute is
therefore *held down*: nothing is advertised through it and answers leave by another, for half a
minute, twice as long each further time. While it goes on changing, the wait begins anew. The last
uplink of a family that works is never held down: a bad way out is better than none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from agents.advertising.scene import Scene, Way
from ambicast.model.prefixes import family
from ambicast.model.routes import Advertisement

CHANGES = 3
WITHIN = 60.0
HOLD = 30.0
LONGEST = 600.0
# Quiet for so long, and what was before is forgotten.
FORGET = 900.0


class Flap(msgspec.Struct, frozen=True):
    """How one way has come and gone.

    Attributes:
        up: whether it is usable now.
        changes: when it changed, within the last minute, not counting what was punished already.
        changed: when it changed last.
        until: until when it is held down.
        times: how often it has been, in a row.
    """

    up: bool
    changes: tuple[float, ...] = ()
    changed: float = float("-inf")
    until: float = float("-inf")
    times: int = 0


Flaps = Mapping[Way, Flap]


def follow(before: Flaps, silent: Collection[Way], scene: Scene) -> Flaps:
    """After a look; an uplink is up while it has carrier and is not known to be silent."""
    if scene.kernel is None:
        return before
    found: dict[Way, Flap] = {}
    for way in scene.ways():
        up = scene.carries(way[0]) and way not in silent
        flap = before.get(way)
        found[way] = Flap(up) if flap is None else _after(flap, scene.now, up=up)
    return found


def _after(flap: Flap, now: float, *, up: bool) -> Flap:
    replace = msgspec.structs.replace
    if flap.times and now - max(flap.changed, flap.until) > FORGET:
        flap = replace(flap, times=0)
    if up == flap.up:
        return flap
    changes = (*(at for at in flap.changes if now - at <= WITHIN), now)
    flap = replace(flap, up=up, changes=changes, changed=now)
    if now < flap.until:
        return replace(flap, changes=(), until=max(flap.until, now + HOLD))
    if len(changes) < CHANGES:
        return flap
    times = flap.times + 1
    until = now + min(HOLD * 2 ** (times - 1), LONGEST)
    return replace(flap, changes=(), until=until, times=times)


def held_down(flaps: Flaps, now: float) -> frozenset[Way]:
    """The ways not to be used ``now``; never the last of a family that is up."""
    held = {way for way, flap in flaps.items() if now < flap.until}
    for kind in {kind for _, kind in held}:
        usable = sorted(way for way, flap in flaps.items() if way[1] is kind and flap.up)
        if usable and held.issuperset(usable):
            held.discard(min(usable, key=lambda way: (flaps[way].until, way)))
    return frozenset(held)


def without(
    wanted: Iterable[Advertisement], held: Collection[Way], flaps: Flaps
) -> frozenset[Advertisement]:
    """``wanted`` less what would go through an uplink that is held down.

    A prefix that goes through no other uplink that is up stays: this may cost a path, never a
    prefix.
    """
    everything = frozenset(wanted)

    def way(each: Advertisement) -> Way:
        return each.uplink, family(each.prefix)

    elsewhere = {
        each.prefix
        for each in everything
        if way(each) not in held and way(each) in flaps and flaps[way(each)].up
    }
    return frozenset(
        each for each in everything if way(each) not in held or each.prefix not in elsewhere
    )
