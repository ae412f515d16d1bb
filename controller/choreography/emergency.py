"""Emergency plans: everything is sent at once, each part settles when it is observed."""

from __future__ import annotations

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.ladder import rungs
from controller.choreography.plan import Plan, Step
from controller.choreography.posture import Posture, change
from controller.choreography.settling import Advertised, Answered


def take_over(
    fleet: Fleet, pop: PopName, posture: Posture, *, anycast: int, reason: str, now: float
) -> Plan:
    """The helpers of ``posture`` advertise the prefixes of ``pop``, same length and deeper.

    Depth 0 where ``pop`` withdrew by itself; at least 1 where it fell silent, because its stale
    routes win every tie until hold timers end; ``anycast`` is the depth for anycast prefixes. All
    lengths go in one order, so in one UPDATE per session and family. DNS moves in parallel: the
    new answers rely on routes that already stand.
    """
    helpers, depth = posture.helpers, posture.depth
    own = fleet.pops[pop].prefixes
    taken = change(posture, given=0.0)
    longer = tuple(part for prefix in own for part in rungs(prefix, depth))
    if depth:
        longer += tuple(part for each in fleet.anycast_prefixes() for part in rungs(each, anycast))
    cover = Step(
        "cover",
        "bgp",
        f"{', '.join(helpers) or 'nobody'} advertise {', '.join((*own, *longer))}",
        taken,
        (Advertised(helpers, (*own, *longer)),),
        deadline=5.0,
    )
    answers = Step(
        "dns-leave",
        "dns",
        f"stop giving {pop}",
        taken,
        (Answered(),),
        at_once=True,
        deadline=5.0,
    )
    kind = "takeover" if depth else "cover"
    return Plan(kind, pop, reason, (cover, answers), now)
