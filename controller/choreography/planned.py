"""Planned moves: drain, and every kind of return; make before break, one by one."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from ambicast.model.prefixes import family
from controller.choreography.ladder import rungs
from controller.choreography.plan import Plan, Step
from controller.choreography.posture import Home, Posture, change
from controller.choreography.settling import Advertised, Answered, Waited, Withdrawn
from controller.planning.nearness import farthest_first

# Shares of its client groups a returning PoP is given, step by step: consistent, growing subsets.
GROWING = (0.25, 0.5, 1.0)


def drain(
    fleet: Fleet,
    pop: PopName,
    posture: Posture,
    helpers: tuple[PopName, ...],
    reason: str,
    now: float,
) -> Plan:
    """Empties ``pop`` (failover.md, "A planned move").

    Helpers that already advertise its prefixes (it was taken over before) stay.
    """
    timing, own = fleet.timing, fleet.pops[pop].prefixes
    quiet = change(posture, given=0.0, families=())
    covered = change(quiet, helpers=tuple(sorted({*posture.helpers, *helpers})))
    leaving = change(covered, home=Home.LEAVING)
    away = change(leaving, home=Home.AWAY, split=0, splits={})
    everything = tuple(sorted({*own, *fleet.anycast_prefixes(), *fleet.covers_at(pop)}))
    undo = f"ambicast pop undrain {pop}"
    steps = (
        Step("dns-stop", "dns", f"stop giving {pop}", quiet, (Answered(every=True),), undo=undo),
        Step(
            "ttl-wait",
            "wait",
            f"wait {timing.ttl + timing.tail:g} s: TTL {timing.ttl:g} s + tail {timing.tail:g} s",
            quiet,
            (Waited(timing.ttl + timing.tail),),
            deadline=timing.ttl + timing.tail + 5,
            undo=undo,
        ),
        Step(
            "cover",
            "bgp",
            f"{', '.join(covered.helpers)} advertise {', '.join(own)}",
            covered,
            (Advertised(covered.helpers, own),),
            undo=undo,
        ),
        Step(
            "shutdown",
            "bgp",
            f"{pop} marks its routes GRACEFUL_SHUTDOWN and waits {timing.shutdown_wait:g} s",
            leaving,
            # Looked at again at the end: whoever covers must still do so when home leaves.
            (Waited(timing.shutdown_wait), Advertised(covered.helpers, own)),
            deadline=timing.shutdown_wait + 5,
            undo=undo,
        ),
        Step(
            "withdraw",
            "bgp",
            f"{pop} withdraws",
            away,
            (Withdrawn(pop, everything),),
            undo=undo,
        ),
    )
    return Plan("drain", pop, reason, steps, now)


def go_back(fleet: Fleet, pop: PopName, posture: Posture, reason: str, now: float) -> Plan:
    """Brings ``pop`` back, whatever it was away for.

    Home advertises what its helpers advertise, more-specifics included, before any of them
    leaves: un-advertising loaded halves with only the shorter prefix behind them loops every
    client (mean 124 s; failover-simulation.md section 5). Home keeps its halves: withdrawing them
    is the same danger again, and a latched prefix is a healthy state.
    """
    steps = _handing_over(fleet, pop, posture, given=0.0)
    left = steps[-1].posture
    given = [change(left, given=share) for share in GROWING]
    # Wholly at home, no family is apart any more.
    given[-1] = change(given[-1], families=(), beside={})
    for grown in given:
        steps.append(_give(fleet, pop, grown, last=grown is given[-1]))
    return Plan("return", pop, reason, tuple(steps), now)


def step_aside(fleet: Fleet, pop: PopName, posture: Posture, reason: str, now: float) -> Plan:
    """Like ``go_back``, for a PoP that serves its clients all the while: only helpers leave.

    Not before it has been seen to serve for the settle-down time.
    """
    first, *steps = _handing_over(fleet, pop, posture, given=1.0)
    settle = fleet.timing.settle_down
    served = (Waited(settle), *first.settled_when)
    first = msgspec.structs.replace(first, settled_when=served, deadline=settle + 30)
    steps.insert(0, first)
    whole = change(steps[-1].posture, families=(), beside={})
    return Plan("return", pop, reason, (*steps, _give(fleet, pop, whole, last=True)), now)


def _handing_over(fleet: Fleet, pop: PopName, posture: Posture, given: float) -> list[Step]:
    """Home advertises, then helpers leave; meanwhile DNS gives it ``given`` of its groups."""
    kinds = tuple(kind for kind in Family if posture.concerns(kind))
    deep = {kind: max(posture.depth_in(kind), posture.split_in(kind)) for kind in kinds}
    here = change(_at_home(posture, deep), given=given)
    prefixes = tuple(
        each
        for prefix in fleet.pops[pop].prefixes
        if family(prefix) in kinds
        for each in (prefix, *rungs(prefix, deep[family(prefix)]))
    )
    steps = [
        Step(
            "home-advertises",
            "bgp",
            f"{pop} advertises {', '.join(prefixes)}",
            here,
            (Advertised((pop,), prefixes, posture.helpers),),
        )
    ]
    left = here
    for helper in farthest_first(fleet, pop, posture.helpers):
        rest = tuple(name for name in left.helpers if name != helper)
        left = change(left, helpers=rest) if rest else _alone(left)
        steps.append(_leave(fleet, pop, helper, left, prefixes))
    return steps


def _at_home(posture: Posture, deep: Mapping[Family, int]) -> Posture:
    """Home advertises too, in its families as deep as ``deep`` says."""
    here = change(posture, home=Home.HERE)
    if not posture.families and len(set(deep.values())) == 1:
        return change(here, split=max(deep.values()))
    return change(here, splits={**posture.splits, **deep})


def _alone(posture: Posture) -> Posture:
    return change(posture, helpers=(), depth=0, depths={}, beside={})


def _leave(
    fleet: Fleet, pop: PopName, helper: PopName, left: Posture, prefixes: tuple[str, ...]
) -> Step:
    stagger = fleet.timing.stagger
    return Step(
        "survivor-leaves",
        "bgp",
        f"{helper} withdraws the prefixes of {pop}, then {stagger:g} s to watch",
        left,
        (Withdrawn(helper, prefixes), Waited(stagger)),
        deadline=stagger + 30,
    )


def _give(fleet: Fleet, pop: PopName, grown: Posture, *, last: bool) -> Step:
    # Between two subsets one TTL passes, so that the first is seen to work before the next.
    wait = 0.0 if last else fleet.timing.ttl
    return Step(
        "dns-return",
        "dns",
        f"give {pop} {grown.given:.0%} of its client groups",
        grown,
        (Answered(every=True), Waited(wait)),
        deadline=wait + 30,
    )
