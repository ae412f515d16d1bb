"""What this host wants its neighbors and its kernel to know, from everything it knows itself.

The order is an upper bound: the host advertises what was ordered, less what it cannot serve now.
Nothing else enters: not whether the controller or the broker is there, not the lease (I8). Where
something is not known *yet* (services not judged, kernel not read), what ExaBGP already holds is
kept and nothing is added, so that an agent that restarts is not noticed by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from agents.advertising.addresses import absent, addresses
from agents.advertising.allowance import permitted
from agents.advertising.fitness import Standing, standing
from agents.advertising.state import Facts, HostState
from ambicast.contract.messages import Order
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


class Desired(msgspec.Struct, frozen=True):
    """The whole desired set; ``None`` means hands off: what is there stays.

    ``withheld`` maps each ordered prefix that is not advertised now to the reason.
    """

    advertisements: frozenset[Advertisement] | None
    addresses: frozenset[str] | None
    default_uplink: Mapping[Family, str]
    withheld: Mapping[str, Why] = {}


class _Judge(NamedTuple):
    """One moment; answers for one prefix or advertisement at a time."""

    facts: Facts
    state: HostState
    order: Order
    held_paths: frozenset[tuple[str, str]]
    now: float

    def unserved(self, prefix: str) -> Why | None:
        """Why ``prefix`` must not be advertised, however long it has been; or none."""
        keeper = self.order.keepers.get(prefix) == self.facts.pop.name
        if not permitted(self.facts.allow, prefix):
            return Why.FORBIDDEN
        if self.standing(prefix) is Standing.UNFIT and not keeper:
            return Why.UNFIT
        if any(self.now - since > PATIENCE for since in self._missing(prefix)):
            return Why.ADDRESSES
        return None

    def unready(self, prefix: str) -> Why | None:
        """Why ``prefix`` must not be added now, although what stands may stay; or none."""
        if self.standing(prefix) is Standing.UNKNOWN:
            return Why.UNJUDGED
        if self.state.kernel is None or absent(prefix, self.state):
            return Why.ADDRESSES
        return None

    def standing(self, prefix: str) -> Standing:
        return standing(self.facts.table.behind(prefix), self.state.services)

    def _missing(self, prefix: str) -> list[float]:
        if self.state.kernel is None:
            return []
        return [self.state.missing.get(each, self.now) for each in absent(prefix, self.state)]


def desired(state: HostState, facts: Facts, now: float) -> Desired:
    """The decision; a deterministic function of its arguments."""
    if state.held is None or state.rib is None:
        return Desired(None, addresses(state, ()), state.default_uplink)
    held_paths = frozenset((each.prefix, each.uplink) for each in state.rib)
    judge = _Judge(facts, state, state.held.order, held_paths, now)
    ordered = {each.prefix for each in state.held.order.advertisements}
    unserved = {prefix: judge.unserved(prefix) for prefix in sorted(ordered)}
    unready = {prefix: judge.unready(prefix) for prefix in sorted(ordered)}
    wanted = frozenset(
        each
        for each in state.held.order.advertisements
        if unserved[each.prefix] is None
        and (unready[each.prefix] is None or (each.prefix, each.uplink) in held_paths)
    )
    advertised = {each.prefix for each in wanted}
    reasons = {prefix: unserved[prefix] or unready[prefix] for prefix in sorted(ordered)}
    withheld = {prefix: why for prefix, why in reasons.items() if why and prefix not in advertised}
    return Desired(wanted, addresses(state, advertised), state.default_uplink, withheld)
