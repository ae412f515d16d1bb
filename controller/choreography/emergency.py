"""Emergency plans: everything is sent at once, each part settles when it is observed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from controller.choreography.ladder import rungs
from controller.choreography.layout import layout
from controller.choreography.plan import Plan, Step
from controller.choreography.posture import Posture, change
from controller.choreography.settling import Advertised, Answered, Waited


def take_over(
    fleet: Fleet,
    pop: PopName,
    posture: Posture,
    *,
    anycast: Mapping[Family, int],
    reason: str,
    now: float,
) -> Plan:
    """The helpers of ``posture`` advertise the prefixes of ``pop``, same length and deeper.

    Depth 0 where ``pop`` withdrew by itself; at least 1 where it fell silent, because its stale
    routes win every tie until hold timers end; ``anycast`` is the depth for anycast prefixes. All
    lengths go in one order, so in one UPDATE per session and family. DNS moves in parallel: the
    new answers rely on routes that already stand. Families that the posture does not concern are
    not touched.
    """
    helpers, facts = posture.helpers, layout(fleet)
    taken = change(posture, given=0.0)
    prefixes: list[str] = []
    longer: list[str] = []
    for kind in (kind for kind in Family if posture.concerns(kind)):
        own, depth = facts.own[pop][kind], posture.depth_in(kind)
        prefixes += own
        longer += (part for prefix in own for part in rungs(prefix, depth))
        if depth:
            deeper = anycast.get(kind, 0)
            longer += (part for each in facts.anycast[kind] for part in rungs(each, deeper))
    wanted = (*prefixes, *longer)
    cover = Step(
        "cover",
        "bgp",
        f"{', '.join(helpers) or 'nobody'} advertise {', '.join(wanted)}",
        taken,
        (Advertised(helpers, wanted),),
        deadline=5.0,
    )
    answers = Step(
        "dns-leave",
        "dns",
        f"stop giving {pop}" + (f" in {', '.join(posture.families)}" if posture.families else ""),
        taken,
        (Answered(),),
        at_once=True,
        deadline=5.0,
    )
    deep = any(posture.depth_in(kind) for kind in Family)
    steps = (cover, answers, *_outgrown(fleet, pop, taken))
    return Plan("takeover" if deep else "cover", pop, reason, steps, now)


def _outgrown(fleet: Fleet, pop: PopName, taken: Posture) -> Iterator[Step]:
    """Where helpers went deeper: the shallower parts leave, when the deeper ones stand.

    Until then they carry clients, and their withdrawal would overtake what replaces them: a
    neighbor holds back what is new (RFC 4271 section 9.2.1.1), and never what is gone.
    """
    deeper: list[str] = []
    outgrown: list[str] = []
    for kind in taken.beside:
        for prefix in layout(fleet).own[pop][kind]:
            now = rungs(prefix, taken.depth_in(kind))
            deeper += now
            outgrown += (
                part
                for depth in taken.helped_in(kind)
                for part in rungs(prefix, depth)
                if part not in now
            )
    if not outgrown:
        return
    stagger = fleet.timing.stagger
    yield Step(
        "deeper-stands",
        "wait",
        f"{stagger:g} s for {', '.join(deeper)} to reach everybody",
        taken,
        (Waited(stagger), Advertised(taken.helpers, tuple(deeper))),
        deadline=stagger + 5,
    )
    yield Step(
        "shallower-leaves",
        "bgp",
        f"{', '.join(taken.helpers)} withdraw {', '.join(outgrown)}",
        change(taken, beside={}),
        (),
    )
