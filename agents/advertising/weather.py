"""What this host has made of what it saw over time: silences, flaps, and who was lost.

One immutable value beside the rest of the state. Observations change its first part at once; the
rest follows from the whole scene and from time, the same at every wake-up.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agents.advertising import away, contingency, silence, uplink_hold
from agents.advertising.away import Contact
from agents.advertising.contingency import Lost
from agents.advertising.observations import BfdSeen, BgpSeen, Observation, Watched
from agents.advertising.scene import Scene, Way
from agents.advertising.silence import Silences
from agents.advertising.uplink_hold import Flaps
from ambicast.model.prefixes import family

# The watch tells four times a second. One that has said nothing for so long is not watching.
WATCH_STALE = 1.5
# A watcher that has just begun hears its first answers one by one.
FIRST_LOOK = 1.0


class Vigil(msgspec.Struct, frozen=True):
    """How well this host watches.

    Attributes:
        at: when the watch spoke last.
        paused: its loop stood still just now.
        since: since when it has been watching without a pause.
        begun: it once was for ``FIRST_LOOK`` seconds in this run.
    """

    at: float | None = None
    paused: bool = False
    since: float | None = None
    begun: bool = False

    def attentive(self, now: float) -> bool:
        """Whether silence is a sign of anything ``now``."""
        return self.begun and not self.paused and not self._stale(now)

    def _stale(self, now: float) -> bool:
        return self.at is None or now - self.at > WATCH_STALE


class Weather(msgspec.Struct, frozen=True):
    """The memory behind contingencies, splits and hold-downs.

    Attributes:
        contact: broker and controller.
        vigil: the own watch.
        bfd: forwarding to the neighbors, where BFD says.
        forwarded: where BFD was up in this run.
        proven: own uplinks whose probes have come back, in this run or an earlier one, by family.
        sent: own uplinks whose neighbor was sent a prefix of the family in this run.
        seen: other hosts of this PoP that were seen in this run, by family.
        silences: own uplinks from which nothing comes.
        siblings: other hosts of this PoP from which nothing comes.
        returned: siblings that are seen -> since when.
        flaps: the coming and going of own uplinks.
        lost: PoPs a quorum calls gone.
    """

    contact: Contact = Contact()
    vigil: Vigil = Vigil()
    bfd: BfdSeen | None = None
    forwarded: frozenset[Way] = frozenset()
    proven: frozenset[Way] = frozenset()
    sent: frozenset[Way] = frozenset()
    seen: frozenset[Way] = frozenset()
    silences: Silences = {}
    siblings: Silences = {}
    returned: Mapping[Way, float] = {}
    flaps: Flaps = {}
    lost: Lost = {}

    @property
    def silent(self) -> frozenset[Way]:
        """Own uplinks that are silent without doubt, by family."""
        return silence.confirmed(self.silences)

    def held_down(self, now: float) -> frozenset[Way]:
        """Own uplinks that are not to be used ``now``, by family."""
        return uplink_hold.held_down(self.flaps, now)


def noticed(before: Weather, observation: Observation, now: float) -> Weather:
    """What an observation says by itself."""
    contact = away.heard(before.contact, observation, now)
    vigil, bfd, forwarded, sent = before.vigil, before.bfd, before.forwarded, before.sent
    match observation:
        case Watched():
            vigil = _watching(vigil, observation, now)
        case BgpSeen():
            sent |= {(each.uplink, family(each.prefix)) for each in observation.wire}
        case BfdSeen():
            bfd = observation
            forwarded |= {
                (name, kind)
                for name, families in observation.up.items()
                for kind, up in families.items()
                if up
            }
        case _:
            pass
    vigil = _begun(vigil, now)
    return msgspec.structs.replace(
        before, contact=contact, vigil=vigil, bfd=bfd, forwarded=forwarded, sent=sent
    )


def followed(before: Weather, scene: Scene) -> Weather:
    """What follows from everything, at this moment."""
    proven = before.proven & before.sent
    silences = silence.uplinks(before.silences, before.forwarded, proven, scene)
    up = silence.siblings_up(scene)
    returned = {way: before.returned.get(way, scene.now) for way in sorted(up)}
    return msgspec.structs.replace(
        before,
        proven=before.proven | scene.worked,
        seen=before.seen | up,
        silences=silences,
        siblings=silence.siblings(before.siblings, before.seen, scene),
        returned=returned,
        flaps=uplink_hold.follow(before.flaps, silence.confirmed(silences), scene),
        lost=contingency.lost(before.lost, scene),
    )


def next_look(weather: Weather, lease: float, confirm_after: float, now: float) -> float:
    """The next instant at which something follows from time alone, or infinity."""
    instants = [weather.contact.away_at(lease)]
    instants += [
        each.since + confirm_after
        for each in (*weather.silences.values(), *weather.siblings.values())
        if not each.confirmed
    ]
    instants += [since + contingency.CERTAIN for since in weather.lost.values()]
    instants += [flap.until for flap in weather.flaps.values()]
    if weather.vigil.since is not None and not weather.vigil.begun:
        instants.append(weather.vigil.since + FIRST_LOOK)
    return min((at for at in instants if at > now), default=away.NEVER)


def _watching(vigil: Vigil, watched: Watched, now: float) -> Vigil:
    replace = msgspec.structs.replace
    if watched.paused:
        return replace(vigil, at=now, paused=True, since=None)
    since = now if vigil.since is None else vigil.since
    return replace(vigil, at=now, paused=False, since=since)


def _begun(vigil: Vigil, now: float) -> Vigil:
    enough = vigil.since is not None and now - vigil.since >= FIRST_LOOK
    fresh = vigil.at is not None and now - vigil.at <= WATCH_STALE
    if vigil.begun or not (enough and fresh):
        return vigil
    return msgspec.structs.replace(vigil, begun=True)
