"""Who helps a PoP in an emergency, and how deep: the posture that a takeover leads to."""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.model.identifiers import Family, PopName
from controller.choreography.kept import deepest
from controller.choreography.ladder import DEEPEST
from controller.choreography.look import Look
from controller.choreography.needs import Need, concerned, stale
from controller.choreography.posture import Home, Posture, change
from controller.choreography.run import Run, given
from controller.choreography.technique import Technique
from controller.planning.assignment import assign
from controller.planning.guards import LATELY
from controller.world.condition import Condition
from controller.world.hosts import spoken

_NO_HELP = frozenset({Condition.SILENT, Condition.UNFIT, Condition.WITHDRAWN})


def taken_posture(
    run: Run, name: PopName, need: Need, able: tuple[PopName, ...], look: Look
) -> Posture:
    """How ``name`` stands when ``able`` PoPs do what it needs; what stands already stays."""
    pop = run.pops[name]
    kinds = concerned(pop, look.fleet, name) | need.families
    claimed = need.claim.depths if need.claim else {}
    deep = {
        kind: max(
            pop.posture.depth_in(kind) if kind in concerned(pop, look.fleet, name) else 0,
            min(DEEPEST, stale(run, name, kind, look) + 1) if kind in need.silent else 0,
            claimed.get(kind, 0),
        )
        for kind in kinds
    }
    standing = tuple(each for each in pop.posture.helpers if look.condition(each) not in _NO_HELP)
    helpers = {*standing, *_planned(run, name, able, look)}
    if Technique.HALVES not in look.techniques:
        deep = dict.fromkeys(deep, 0)
        if Technique.SAME_LENGTH not in look.techniques:
            helpers = set()
    helpers |= set(need.claim.helpers if need.claim else ())
    posture = change(pop.posture, home=Home.HERE, helpers=tuple(sorted(helpers)))
    return _beside(pop.posture, in_families(posture, deep, frozenset(spoken(look.fleet, name))))


def without_helper(
    run: Run, name: PopName, lost: PopName, need: Need, able: tuple[PopName, ...], look: Look
) -> Posture:
    """How ``name`` stands without its helper ``lost``: deeper, where that one fell silent."""
    pop = run.pops[name]
    stood = any(pop.posture.helped_by(lost, kind) for kind in need.families)
    rest = tuple(each for each in pop.posture.helpers if each != lost)
    posture = change(pop.posture, helpers=rest or (able if stood else ()))
    silent = need.silent if Technique.HALVES in look.techniques else frozenset()
    deep = {kind: pop.posture.depth_in(kind) for kind in concerned(pop, look.fleet, name)}
    for kind in silent & frozenset(deep):
        if pop.posture.helped_by(lost, kind):
            own = deepest(look.fleet, name, kind, run.kept).get(lost, 0) if run.kept else 0
            deep[kind] = min(DEEPEST, max(deep[kind], own) + 1)
    return _beside(pop.posture, in_families(posture, deep, frozenset(spoken(look.fleet, name))))


def _beside(old: Posture, new: Posture) -> Posture:
    """``new``, in which helpers that stand go deeper without giving up what carries clients."""
    before = {kind: old.helped_in(kind).start for kind in Family}
    deeper = {
        kind: start
        for kind, start in before.items()
        if set(old.helpers) & set(new.helpers) and 0 < start < new.depth_in(kind)
    }
    return change(new, beside=deeper)


def lost_lately(run: Run, now: float) -> tuple[PopName, ...]:
    """The PoPs that were taken over or covered in the last moments."""
    return tuple(
        name
        for name, pop in run.pops.items()
        if pop.lost_at is not None and now - pop.lost_at < LATELY
    )


def _planned(
    run: Run, name: PopName, able: tuple[PopName, ...], look: Look
) -> tuple[PopName, ...]:
    """The advertisers of the table that are able, and that the landing load leaves standing.

    The table was made before the failure; who has been lost since is not asked to help, and who
    took over from another meanwhile may have no room left.
    """
    row = run.failover.get(name)
    planned = tuple(each for each in row.advertisers if each in able) if row else ()
    planned = planned or able
    shares = {pop: share for pop, share in given(run).items() if pop != name}
    held = next(iter(run.assignments.values())).pops if run.assignments else None
    over = set(assign(look.fleet, shares, held).overloaded)
    return tuple(each for each in planned if each not in over) or planned


def in_families(posture: Posture, deep: Mapping[Family, int], every: frozenset[Family]) -> Posture:
    """``posture``, concerned in all families of ``deep``, and as deep as it says."""
    if frozenset(deep) >= every and len(set(deep.values())) <= 1:
        common = max(deep.values(), default=0)
        return change(posture, families=(), depth=common, depths={})
    apart = () if frozenset(deep) >= every else tuple(kind for kind in Family if kind in deep)
    return change(posture, families=apart, depth=0, depths=dict(deep))
