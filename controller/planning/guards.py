"""Guards refuse a planned change, with their numbers and their limit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.planning.assignment import assign

# Seconds within which losses count as one event.
LATELY = 10.0


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


def guard_emergency(
    fleet: Fleet,
    pop: PopName,
    survivors: tuple[PopName, ...],
    lost_lately: tuple[PopName, ...],
    *,
    doubtful: bool,
) -> Refusal | None:
    """May the loss of ``pop`` be acted upon?

    Not where nobody could take over: then routes and answers stay as they are, and whatever still
    works goes on working. And where more PoPs than the limit are lost at once, not beyond it: then
    the checks, or the network between them, are what broke (I7). ``doubtful``: checks say so, its
    own or those of its watchers; an empty wire needs no belief. The rest is looked at again.
    """
    if not survivors:
        return Refusal("someone to help", f"no PoP is left to cover {pop}", "one must serve")
    return guard_quota(fleet, pop, lost_lately) if doubtful else None


def guard_quota(fleet: Fleet, pop: PopName, lost_lately: tuple[PopName, ...]) -> Refusal | None:
    """May ``pop`` be lost too, after so many others, on the word of watchers?"""
    most = most_at_once(fleet)
    lost = sorted({pop, *lost_lately})
    if len(lost) > most:
        return Refusal(
            "PoPs lost at once",
            f"{len(lost)} silent within {LATELY:g} s ({', '.join(lost)})",
            f"at most {most}: more is a fault of the checks, not of the PoPs",
        )
    return None


def most_at_once(fleet: Fleet) -> int:
    """How many PoPs may be lost within ``LATELY`` before the loss itself is doubted."""
    limit = fleet.limits.pops_lost_at_once
    return max(limit.count, int(limit.share * len(fleet.pops)))
