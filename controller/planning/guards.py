"""Guards refuse a planned change, with their numbers and their limit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.planning.assignment import assign


class Refusal(msgspec.Struct, frozen=True):
    """Why a change is not made: which guard, what was found, what is allowed."""

    guard: str
    found: str
    limit: str

    def __str__(self) -> str:
        """One sentence for people."""
        return f"refused by {self.guard}: {self.found}; {self.limit}"


def guard_drain(
    fleet: Fleet, pop: PopName, given: Mapping[PopName, float], moving: tuple[PopName, ...]
) -> Refusal | None:
    """May ``pop`` be drained while ``given`` PoPs serve and ``moving`` PoPs are in a plan?"""
    left = [name for name in given if name != pop]
    needed = max([service.policy.min_pops for service in fleet.services.values()], default=1)
    if len(left) < needed:
        return Refusal(
            "fewest PoPs",
            f"{len(left)} would be left ({', '.join(sorted(left)) or 'none'})",
            f"at least {needed} must serve",
        )
    others = sorted(name for name in moving if name != pop)
    if others:
        return Refusal(
            "one PoP at a time",
            f"{', '.join(others)} is not settled",
            "a planned change waits until every other plan has settled (I13)",
        )
    over = assign(fleet, {name: given[name] for name in left}).overloaded
    if over:
        return Refusal(
            "landing load",
            f"{', '.join(over)} would be overloaded",
            f"at most {fleet.limits.landing_load:.0%} of a PoP's capacity (I6)",
        )
    return None
