"""What a PoP needs others for, right now: in which families, and why.

Evidence that is whole is believed at once. Evidence that is half (one family silent, a wire that
is empty, checks that fail while the agent goes on advertising) is believed when it has stood for a
moment: a dead PoP falls silent in one family a few milliseconds before the other, and an agent
that resists has a reason to.
"""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from controller.choreography.contingencies import stale_depth
from controller.choreography.kept import Claim
from controller.choreography.look import Look
from controller.choreography.phases import AWAY_FROM_HOME, Phase
from controller.choreography.posture import Posture
from controller.choreography.run import PopRun, Run
from controller.choreography.technique import Technique
from controller.world.condition import Condition
from controller.world.hosts import spoken

# Seconds its prefixes must be off every wire before others cover them. The covering prefix serves
# meanwhile, and a cover commits to a slow return.
WIRE_PATIENCE = 0.5
# Seconds an agent may resist its own checks; by then it has given way, or others are in doubt too.
RESISTING_PATIENCE = 0.5
# Seconds those that failed together are given to recover together, or as long as their slowest
# check takes to see it.
TOGETHER = 2.0
_HELPING = frozenset({Phase.HOME, Phase.RETURNING, Phase.STARTING})


class Need(msgspec.Struct, frozen=True):
    """Why others must carry a PoP's prefixes.

    Attributes:
        silent: families in which it is gone.
        failed: families in which it does not serve, and others must carry it.
        claim: others took it over by themselves.
    """

    silent: frozenset[Family] = frozenset()
    failed: frozenset[Family] = frozenset()
    claim: Claim | None = None

    @property
    def families(self) -> frozenset[Family]:
        """All families concerned."""
        return self.silent | self.failed | frozenset(self.claim.depths if self.claim else ())


def needs(run: Run, name: PopName, look: Look) -> Need:
    """What ``name`` needs now."""
    pop, found, now = run.pops[name], look.conditions[name], look.now
    kinds = frozenset(spoken(look.fleet, name))
    silent: frozenset[Family] = frozenset()
    failed: frozenset[Family] = frozenset()
    if found.condition is Condition.SILENT:
        silent = kinds
    elif _since(pop.silent_since, now) >= family_patience(look.fleet):
        silent = frozenset(found.silent)
    if found.condition is Condition.UNFIT:
        if not found.resists or _out_of_patience(pop, look):
            failed = kinds
    elif _since(pop.withdrawn_since, now) >= WIRE_PATIENCE:
        failed = frozenset(found.bare)
    return Need(silent, failed, look.claims.get(name))


def _out_of_patience(pop: PopRun, look: Look) -> bool:
    """Whether an agent has resisted its checks long enough.

    Where nobody served for a while, all are about to recover, a moment apart: the first to do so
    must not be given what the others are about to serve again. While nobody serves, a guard says
    why nothing is done.
    """
    if pop.helped_since is not None:
        return look.now - pop.helped_since >= together(look.fleet)
    return _since(pop.resisting_since, look.now) >= RESISTING_PATIENCE


def together(fleet: Fleet) -> float:
    """Seconds until those that are well again at the same moment have all been judged so."""
    checks = (check for service in fleet.services.values() for check in service.checks)
    judged = (each.interval + (each.rise - 1) * each.fast_interval for each in checks)
    return max(TOGETHER, *judged) + RESISTING_PATIENCE


def family_patience(fleet: Fleet) -> float:
    """Seconds one family may be silent alone before it is believed to be alone."""
    return fleet.timing.watch_interval * fleet.timing.watch_misses


def concerned(pop: PopRun, fleet: Fleet, name: PopName) -> frozenset[Family]:
    """The families in which the PoP is away from home, or on its way."""
    if pop.phase in {Phase.HOME, Phase.STARTING}:
        return frozenset()
    return frozenset(kind for kind in spoken(fleet, name) if pop.posture.concerns(kind))


def unclaimed(posture: Posture, claim: Claim | None) -> bool:
    """Whether a claim says more than the posture knows."""
    return claim is not None and (
        not set(claim.helpers) <= set(posture.helpers)
        or any(posture.depth_in(kind) < depth for kind, depth in claim.depths.items())
        or not all(posture.concerns(kind) for kind in claim.depths)
    )


def unmet(run: Run, name: PopName, need: Need, look: Look) -> bool:
    """Whether the emergency of a PoP that is away already must reach further."""
    pop = run.pops[name]
    if not need.families <= concerned(pop, look.fleet, name):
        return True
    if need.claim is not None and pop.plan is None:
        return True  # found so at a start: those who acted stay, and others join them
    alone = not pop.posture.helpers and pop.phase in AWAY_FROM_HOME
    return unclaimed(pop.posture, need.claim) or (
        alone and helps_now(look) and bool(survivors(run, name, look))
    )


def helps_now(look: Look) -> bool:
    """Whether PoPs may be asked to help at all."""
    return bool(look.techniques & {Technique.HALVES, Technique.SAME_LENGTH})


def survivors(run: Run, name: PopName, look: Look) -> tuple[PopName, ...]:
    """The PoPs that could carry the prefixes of ``name`` in every family it needs."""
    pop = run.pops[name]
    kinds = concerned(pop, look.fleet, name) | needs(run, name, look).families
    kinds = kinds or frozenset(spoken(look.fleet, name))
    return tuple(
        other
        for other in sorted(run.pops)
        if other != name
        and look.serves(other, *kinds)
        and not kinds & _away(run.pops[other], look.fleet, other)
    )


def stale(run: Run, name: PopName, kind: Family, look: Look) -> int:
    """How deep ``name`` has advertised its own prefixes."""
    return stale_depth(look.fleet, name, kind, run.pops[name].posture, run.kept)


def _away(pop: PopRun, fleet: Fleet, name: PopName) -> frozenset[Family]:
    if pop.phase in _HELPING:
        return frozenset()
    if pop.phase in AWAY_FROM_HOME:
        return concerned(pop, fleet, name)
    return frozenset(spoken(fleet, name))


def _since(held: float | None, now: float) -> float:
    return -1.0 if held is None else now - held
