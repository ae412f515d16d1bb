"""The first look of a controller that remembers nothing: take over what stands, change nothing.

A controller that starts with an empty journal in the middle of an incident must not tidy up: the
more-specifics it finds on survivors' wires carry traffic. It adopts them as postures, as far as
they are believed (:mod:`wires`), and every later change is a plan like any other (I8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import DeedKind
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import contains, length
from ambicast.model.routes import Advertisement
from controller.choreography.anycast import at_least, depths, key_of, silent_ways
from controller.choreography.contingencies import plans
from controller.choreography.kept import Kept
from controller.choreography.ladder import deepest_on_wire
from controller.choreography.layout import layout
from controller.choreography.orders import Wanted, orders
from controller.choreography.phases import Phase
from controller.choreography.planned import step_aside
from controller.choreography.posture import Home, Posture, change
from controller.choreography.run import PopRun, Run, SilentWay
from controller.choreography.taking import in_families
from controller.choreography.wires import NO_EXPORT, Found, Wires, found_on_wires, reports
from controller.world.belief import World
from controller.world.hosts import spoken

# A controller hears retained reports within milliseconds of connecting; a host that is down for
# good must not keep it from working for ever.
LONGEST_SILENCE = 5.0
# Watchers repeat themselves every second; without their word nobody can be found missing.
SHORTEST_LISTENING = 1.5


def heard_enough(world: World, fleet: Fleet, now: float) -> float | None:
    """None when enough has been heard to decide anything, else when to look again."""
    if not world.connected:
        return now + 1.0
    # A broker that is away at the start tells nobody anything, however long one waits for it.
    listened = now - (world.began_at if world.connected_at is None else world.connected_at)
    told = {name for name, each in world.hosts.items() if each.report and each.sightings}
    everyone = {host for pop in fleet.pops for host in fleet.bgp_hosts(pop)}
    if told >= everyone and listened >= SHORTEST_LISTENING:
        return None
    if told and listened >= LONGEST_SILENCE:
        return None
    return now + 0.1


def adopted(run: Run, world: World, fleet: Fleet, now: float) -> Run:
    """The run with postures read off the wires, where it has none of its own that are true."""
    epoch = max(run.epoch, world.epoch_seen + 1)
    if run.steering is not None and not outdated(run, world):
        return msgspec.structs.replace(run, epoch=epoch, begun=True)
    on_wires = found_on_wires(world, fleet, now)
    told = frozenset(pop for pop in fleet.pops if _told(world, fleet, pop))
    pops = {name: _pop_run(fleet, on_wires, name, now, told=told) for name in fleet.pops}
    found = msgspec.structs.replace(
        run,
        epoch=epoch,
        begun=True,
        pops=pops,
        anycast_depth=0,
        anycast={},
        steering=None,
        assignments={},
        failover={},
        armed={},
        kept={},
        silent_ways=_known_ways(world, fleet, now),
    )
    # Whoever says so: what one host really advertises wins everywhere until all do.
    found = at_least(found, _anycast(fleet, on_wires.wires))
    kept = _unexplained(found, world, fleet, on_wires.unheeded, now)
    return msgspec.structs.replace(found, kept=kept)


def _known_ways(world: World, fleet: Fleet, now: float) -> Mapping[str, SilentWay]:
    """Uplinks that are silent already: whoever was here before has answered to them."""
    return {
        key_of(host, uplink, kind): SilentWay(now, answered=True)
        for _, host in fleet.hosts()
        for report in reports(world, [host])
        if not report.deeds
        for uplink, kind in silent_ways(report)
    }


def outdated(run: Run, world: World) -> bool:
    """Whether hosts follow orders that this run does not know: it was not the last to decide.

    A journal from a backup, or one that a full disk kept from growing.
    """
    for host, sent in run.orders.items():
        belief = world.hosts.get(host)
        if belief is not None and belief.report is not None:
            heard = Stamp(belief.report.order_epoch, belief.report.order_generation)
            if heard > sent.stamp or belief.accepted > sent.stamp:
                return True
    return False


def _told(world: World, fleet: Fleet, pop: PopName) -> bool:
    """Whether a fit agent of ``pop`` has reported: its empty wire is meant, not merely unknown."""
    told = reports(world, fleet.bgp_hosts(pop))
    return any(each.services and all(s.fit for s in each.services) for each in told)


def _anycast(fleet: Fleet, wires: Wires) -> Mapping[Family, int]:
    return {
        kind: max(
            (_depth(prefixes, wire) or 0 for wire in wires.values()),
            default=0,
        )
        for kind, prefixes in layout(fleet).anycast.items()
    }


def _pop_run(
    fleet: Fleet, on_wires: Found, pop: PopName, now: float, *, told: frozenset[PopName]
) -> PopRun:
    wire, away = on_wires.wires[pop], on_wires.away.get(pop)
    own = layout(fleet).own[pop]
    splits = {kind: _own_depth(own[kind], wire) for kind in Family}
    posture = Posture(given=0.0, splits={kind: each for kind, each in splits.items() if each})
    if not away:
        return PopRun(posture=posture, since=now)
    deep = {kind: max(each.values()) for kind, each in away.items()}
    helpers = tuple(sorted({other for each in away.values() for other in each}))
    posture = in_families(change(posture, helpers=helpers), deep, frozenset(spoken(fleet, pop)))
    if pop in on_wires.ending:
        plan = step_aside(fleet, pop, posture, "it serves, and is seen; others still help", now)
        taken = plan.steps[0].posture
        return PopRun(Phase.RETURNING, taken, plan, since=now, because=plan.reason)
    if pop in told and not wire and not any(deep.values()):
        # Alive, empty, and others carry its prefixes: somebody drained it. It stays so.
        gone = change(posture, home=Home.AWAY)
        return PopRun(Phase.DRAINED, gone, since=now, because="found drained", found=True)
    phase = Phase.TAKEN_OVER if any(deep.values()) else Phase.COVERED
    lost_at = now if pop in on_wires.doubtful else None
    return PopRun(phase, posture, since=now, because="found so at start", lost_at=lost_at)


def _depth(prefixes: tuple[str, ...], wire: Iterable[Advertisement]) -> int | None:
    sent = {each.prefix for each in wire}
    found = (deepest_on_wire(prefix, sent) for prefix in prefixes)
    return max((each for each in found if each is not None), default=None)


def _own_depth(prefixes: tuple[str, ...], wire: tuple[Advertisement, ...]) -> int:
    """How deep the own prefixes go through every uplink that has them at all.

    More-specifics through some uplinks only stand there because another is silent, and must not
    be advertised through that one.
    """
    found = []
    for prefix in prefixes:
        through: dict[str, int] = {}
        for each in wire:
            if contains(prefix, each.prefix):
                deep = length(each.prefix) - length(prefix)
                through[each.uplink] = max(deep, through.get(each.uplink, 0))
        found.append(min(through.values(), default=0))
    return max(found, default=0)


def _unexplained(
    run: Run,
    world: World,
    fleet: Fleet,
    unheeded: Mapping[HostName, frozenset[str]],
    now: float,
) -> Mapping[HostName, tuple[Kept, ...]]:
    """What stands on wires and follows from no posture: it stays where it stands."""
    wanted = Wanted(
        postures={name: each.posture for name, each in run.pops.items()},
        anycast=depths(run),
        keepers={},
        plans=plans({}, {}),
        kept={},
    )
    facts = layout(fleet)
    found: dict[HostName, tuple[Kept, ...]] = {}
    for host, desired in orders(fleet, wanted).items():
        belief = world.hosts.get(host)
        sent = belief.report.wire if belief and belief.report else ()
        known = {(each.prefix, each.uplink) for each in desired.order.advertisements}
        odd = tuple(
            each
            for each in sent
            if (each.prefix, each.uplink) not in known
            and NO_EXPORT not in each.attributes.communities
            and each.uplink in fleet.pops[desired.pop].uplinks
            and facts.steers(each.prefix)
            and each.prefix not in unheeded.get(host, ())
        )
        if odd:
            prefixes = tuple(dict.fromkeys(each.prefix for each in odd))
            missed = set(fleet.pops[desired.pop].uplinks) - {each.uplink for each in odd}
            about = missed.pop() if len(missed) == 1 else "found at start"
            found[host] = (Kept(DeedKind.SPLIT, about, now, prefixes, odd),)
    return found
