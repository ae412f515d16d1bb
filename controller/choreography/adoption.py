"""The first look of a controller that remembers nothing: take over what stands, change nothing.

A controller that starts with an empty journal in the middle of an incident must not tidy up: the
more-specifics it finds on survivors' wires carry traffic. It adopts them as postures, and every
later change is a plan like any other (I8).
"""

from __future__ import annotations

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.ladder import deepest_on_wire
from controller.choreography.phases import Phase
from controller.choreography.posture import Home, Posture, change
from controller.choreography.run import PopRun, Run
from controller.world.belief import World

# A controller hears retained reports within milliseconds of connecting; a host that is down for
# good must not keep it from working for ever.
LONGEST_SILENCE = 5.0
# Watchers repeat themselves every second; without their word nobody can be found missing.
SHORTEST_LISTENING = 1.5


def heard_enough(world: World, fleet: Fleet, now: float) -> float | None:
    """None when enough has been heard to decide anything, else when to look again."""
    listened = now - world.began_at
    if not world.connected:
        return now + 1.0
    told = {name for name, each in world.hosts.items() if each.report and each.sightings}
    everyone = {host for pop in fleet.pops for host in fleet.bgp_hosts(pop)}
    if told >= everyone and listened >= SHORTEST_LISTENING:
        return None
    if told and listened >= LONGEST_SILENCE:
        return None
    return now + 0.1


def adopted(run: Run, world: World, fleet: Fleet, now: float) -> Run:
    """The run with postures read off the wires, where it has none of its own yet."""
    epoch = max(run.epoch, world.epoch_seen + 1)
    if run.steering is not None:
        return msgspec.structs.replace(run, epoch=epoch, begun=True)
    wires = {pop: _wire(world, fleet, pop) for pop in fleet.pops}
    anycast = [
        deepest_on_wire(prefix, wire) or 0
        for wire in wires.values()
        for prefix in fleet.anycast_prefixes()
    ]
    told = {pop for pop in fleet.pops if _told(world, fleet, pop)}
    pops = {name: _posture(fleet, wires, name, now, told=name in told) for name in fleet.pops}
    return msgspec.structs.replace(
        run, epoch=epoch, begun=True, pops=pops, anycast_depth=max(anycast, default=0)
    )


def _told(world: World, fleet: Fleet, pop: PopName) -> bool:
    """Whether a fit agent of ``pop`` has reported: its empty wire is meant, not merely unknown."""
    reports = [world.hosts[host].report for host in fleet.bgp_hosts(pop) if host in world.hosts]
    return any(each and each.services and all(s.fit for s in each.services) for each in reports)


def _wire(world: World, fleet: Fleet, pop: PopName) -> frozenset[str]:
    reports = [world.hosts[host].report for host in fleet.bgp_hosts(pop) if host in world.hosts]
    return frozenset(each.prefix for report in reports if report for each in report.wire)


def _posture(
    fleet: Fleet, wires: dict[PopName, frozenset[str]], pop: PopName, now: float, *, told: bool
) -> PopRun:
    own = fleet.pops[pop].prefixes
    others = {
        other: max((deepest_on_wire(prefix, wire) or 0 for prefix in own), default=0)
        for other, wire in wires.items()
        if other != pop and any(deepest_on_wire(prefix, wire) is not None for prefix in own)
    }
    split = max((deepest_on_wire(prefix, wires[pop]) or 0 for prefix in own), default=0)
    if not others:
        return PopRun(posture=Posture(split=split, given=0.0), since=now)
    depth = max(others.values())
    posture = Posture(split=split, helpers=tuple(sorted(others)), depth=depth, given=0.0)
    if depth == 0 and told and not wires[pop]:
        # Alive, empty, and others carry its prefixes: somebody drained it. It stays so.
        away = change(posture, home=Home.AWAY)
        return PopRun(Phase.DRAINED, away, since=now, because="found drained", found=True)
    phase = Phase.TAKEN_OVER if depth else Phase.COVERED
    return PopRun(phase, posture, since=now, because="found so at start")
