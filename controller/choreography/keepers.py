"""Who may not drop a shared prefix before another has taken the role (I7).

One keeper per anycast and covering prefix, named in every order. It stays the same while it
serves: naming another is an order to every host. Where hosts handed the role over among
themselves, the one that took it is named. Where nobody serves, the last one stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.model.identifiers import PopName
from ambicast.model.prefixes import family
from controller.choreography.layout import layout
from controller.choreography.look import Look
from controller.choreography.phases import AWAY_FROM_HOME
from controller.choreography.posture import Home
from controller.choreography.run import Run
from controller.world.condition import Condition


def name_keepers(run: Run, look: Look) -> Mapping[str, PopName]:
    """Shared prefix -> its keeper from now on."""
    taken = _taken(run, look)
    found = {prefix: _keeper(prefix, taken, run, look) for prefix in layout(look.fleet).shared}
    named = {prefix: pop for prefix, pop in found.items() if pop is not None}
    return run.keepers if named == run.keepers else named


def _keeper(
    prefix: str, taken: Mapping[str, tuple[PopName, ...]], run: Run, look: Look
) -> PopName | None:
    before = run.keepers.get(prefix)
    takers = [pop for pop in taken.get(prefix, ()) if _serves(pop, prefix, run, look)]
    if takers and before not in takers:
        return takers[0]
    if before is not None and _may_stay(before, prefix, run, look):
        return before
    pops = sorted(run.pops)
    serving = (pop for pop in pops if _serves(pop, prefix, run, look))
    perhaps = (pop for pop in pops if _advertises(pop, prefix, run, look))
    return next(serving, None) or before or next(perhaps, None)


def _advertises(pop: PopName, prefix: str, run: Run, look: Look) -> bool:
    here = pop in run.pops and run.pops[pop].posture.home is Home.HERE
    return here and layout(look.fleet).shares(pop, prefix)


def _serves(pop: PopName, prefix: str, run: Run, look: Look) -> bool:
    return _advertises(pop, prefix, run, look) and look.serves(pop, family(prefix))


def _may_stay(pop: PopName, prefix: str, run: Run, look: Look) -> bool:
    """Whether nothing that was acted upon says that it does not serve.

    Of whom nobody knows how it is, nothing does; an agent that resists its checks has a reason.
    """
    if not _advertises(pop, prefix, run, look):
        return False
    found = look.conditions[pop]
    waiting = found.resists and run.pops[pop].phase not in AWAY_FROM_HOME
    return waiting or found.condition is Condition.UNKNOWN or look.serves(pop, family(prefix))


def _taken(run: Run, look: Look) -> Mapping[str, tuple[PopName, ...]]:
    """Prefix -> PoPs that took its keeper's role since they heard our last order."""
    found: dict[str, list[PopName]] = {}
    for host, belief in sorted(look.world.hosts.items()):
        report, sent = belief.report, run.orders.get(host)
        if report is None or not report.keeps:
            continue
        heard = (report.order_epoch, report.order_generation)
        if sent is None or heard >= (sent.stamp.epoch, sent.stamp.generation):
            for prefix in report.keeps:
                found.setdefault(prefix, []).append(look.world.pops[host])
    return {prefix: tuple(sorted(set(pops))) for prefix, pops in found.items()}
