"""What this host wants its neighbors and its kernel to know, from everything it knows itself.

The order, and the deeds done while nobody could order (:mod:`deeds`), are an upper bound: the
host advertises what is in them, less what it cannot serve now (and somebody else can:
:mod:`keeping`), and less uplinks that flap (:mod:`uplink_hold`). An operator's brake stands above
all (:mod:`braking`). Whether the controller or the broker is there does not enter (I8). Where
something is not known *yet* (services not judged, kernel not read), what ExaBGP already holds is
kept and nothing is added, so that an agent that restarts is not noticed by anybody. Without an
order what ExaBGP held at first is the upper bound (:mod:`orderless`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from agents.advertising.additions import Additions, additions
from agents.advertising.addresses import absent, addresses
from agents.advertising.allowance import permitted
from agents.advertising.braking import braked
from agents.advertising.fitness import Standing, standing
from agents.advertising.overload import longer
from agents.advertising.state import Facts, HostState, usable
from agents.advertising.uplink_hold import without
from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement

# An address that went missing under a standing advertisement is put back within milliseconds;
# withdrawing for that would be a flap. After this many seconds it is a fault.
PATIENCE = 1.0


class Why(StrEnum):
    """Why something ordered is not advertised."""

    UNFIT = "its services are unfit"
    UNJUDGED = "its services are not judged yet"
    ADDRESSES = "an address inside it is not terminated"
    FORBIDDEN = "it is not in the allow-list"
    HELD_DOWN = "its services have to go on passing after failures"
    NO_ROOM = "an uplink takes no more prefixes beside those ordered"
    BRAKED = "an operator's brake"
    LAST = "an operator's brake, although nobody took it over"


class Desired(msgspec.Struct, frozen=True):
    """The whole desired set; ``None`` means hands off: what is there stays.

    ``withheld`` maps each ordered prefix that is not advertised now to the reason, and each
    prefix added beyond the order that some uplink has no room for.
    """

    advertisements: frozenset[Advertisement] | None
    addresses: frozenset[str] | None
    default_uplink: Mapping[Family, str]
    withheld: Mapping[str, Why] = {}


class _Judge(NamedTuple):
    """One moment; answers for one prefix or advertisement at a time."""

    facts: Facts
    state: HostState
    held_paths: frozenset[tuple[str, str]]
    now: float

    def unserved(self, prefix: str) -> Why | None:
        """Why ``prefix`` must not be advertised, however long it has been; or none."""
        if not permitted(self.facts.allow, prefix):
            return Why.FORBIDDEN
        if prefix in self.state.keeping.down:
            return self._down(prefix)
        if any(self.now - since > PATIENCE for since in self._missing(prefix)):
            return Why.ADDRESSES
        return None

    def unready(self, prefix: str) -> Why | None:
        """Why ``prefix`` must not be added now, although what stands may stay; or none."""
        if self.standing(prefix) is Standing.UNKNOWN:
            return Why.UNJUDGED
        if prefix not in self.state.keeping.open and not self._ready(prefix):
            return self._down(prefix)
        if self.state.kernel is None or absent(prefix, self.state, self.facts):
            return Why.ADDRESSES
        return None

    def standing(self, prefix: str) -> Standing:
        return standing(self.facts.table.behind(prefix), self.state.services)

    def _ready(self, prefix: str) -> bool:
        """Whether what is behind ``prefix`` is fit, and has served its hold-down."""
        behind = self.facts.table.behind(prefix)
        ready = [
            name
            for name, each in self.state.services.items()
            if each.fit and name not in self.state.serving.held_down
        ]
        return not behind or any(name in behind for name in ready)

    def _down(self, prefix: str) -> Why:
        return Why.HELD_DOWN if self.standing(prefix) is Standing.FIT else Why.UNFIT

    def _missing(self, prefix: str) -> list[float]:
        if self.state.kernel is None:
            return []
        gone = absent(prefix, self.state, self.facts)
        return [self.state.missing.get(each, self.now) for each in gone]


def desired(state: HostState, facts: Facts, now: float) -> Desired:
    """The decision; a deterministic function of its arguments."""
    if state.braking is not None:
        return _under_brake(state, facts, now)
    if state.bound is None or state.rib is None:
        return Desired(None, addresses(state, ()), state.default_uplink)
    held_paths = frozenset((each.prefix, each.uplink) for each in state.rib)
    judge = _Judge(facts, state, held_paths, now)
    added = _added(state, facts, now)
    everything = (*state.bound.advertisements, *added.advertisements)
    ordered = {each.prefix for each in everything}
    unserved = {prefix: judge.unserved(prefix) for prefix in sorted(ordered)}
    unready = {prefix: judge.unready(prefix) for prefix in sorted(ordered)}
    wanted = frozenset(
        each
        for each in everything
        if unserved[each.prefix] is None
        and (unready[each.prefix] is None or (each.prefix, each.uplink) in held_paths)
    )
    wanted = without(wanted, state.weather.held_down(now), state.weather.flaps)
    if state.held and state.serving.overload.overloaded(now):
        wanted = longer(wanted, facts.fleet.anycast_prefixes())
    advertised = {each.prefix for each in wanted}
    reasons = {prefix: unserved[prefix] or unready[prefix] for prefix in sorted(ordered)}
    withheld = {prefix: why for prefix, why in reasons.items() if why and prefix not in advertised}
    withheld |= dict.fromkeys(sorted(added.no_room), Why.NO_ROOM)
    return Desired(wanted, addresses(state, advertised), state.default_uplink, withheld)


def _added(state: HostState, facts: Facts, now: float) -> Additions:
    """What deeds add to the order; to what stands in for one nothing is added."""
    if state.held is None:
        return Additions()
    ordered, rib = state.held.order.advertisements, state.rib or ()
    return additions(state.deeds, ordered, rib, usable(state, now), facts.pop)


def _under_brake(state: HostState, facts: Facts, now: float) -> Desired:
    """What an operator wants; of everything else only the allow-list is asked."""
    assert state.braking is not None
    wanted = braked(state.braking, state.roles(facts), state.heard, now)
    if wanted is None or (state.braking.holds and state.rib is None):
        return Desired(None, addresses(state, ()), state.default_uplink)
    wanted = frozenset(each for each in wanted if permitted(facts.allow, each.prefix))
    if state.braking.holds:
        return _held(wanted, state, facts, now)
    advertised = {each.prefix for each in wanted}
    withheld = {
        prefix: Why.LAST if prefix in state.braking.last else Why.BRAKED
        for prefix in sorted(state.asked | state.braking.last)
        if prefix not in advertised
    }
    return Desired(wanted, addresses(state, advertised), state.default_uplink, withheld)


def _held(frozen: frozenset[Advertisement], state: HostState, facts: Facts, now: float) -> Desired:
    """What an operator holds: all that is on the wire, and of the rest what can be served."""
    held_paths = frozenset((each.prefix, each.uplink) for each in state.rib or ())
    judge = _Judge(facts, state, held_paths, now)
    lost = {each.prefix for each in frozen if (each.prefix, each.uplink) not in held_paths}
    amiss = {prefix: judge.unserved(prefix) or judge.unready(prefix) for prefix in sorted(lost)}
    wanted = frozenset(
        each
        for each in frozen
        if (each.prefix, each.uplink) in held_paths or not amiss[each.prefix]
    )
    advertised = {each.prefix for each in wanted}
    withheld = {
        prefix: amiss.get(prefix) or Why.BRAKED
        for prefix in sorted(state.asked)
        if prefix not in advertised
    }
    return Desired(wanted, addresses(state, advertised), state.default_uplink, withheld)
