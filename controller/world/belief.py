"""The world as one immutable value, and ``fold``, the only function that changes belief."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import NameserverReport, Outcome, Presence, Report, Sightings
from ambicast.model.identifiers import HostName, NameserverName, PopName
from controller.world.observations import (
    BusChanged,
    DrainAsked,
    EpochSeen,
    HostAnswered,
    HostPresent,
    HostReported,
    HostSighted,
    NameserverAnswered,
    NameserverReported,
    Observation,
    Tick,
    UndrainAsked,
)


class HostBelief(msgspec.Struct, frozen=True):
    """The latest of everything one host told, and when it was heard (controller's clock)."""

    presence: Presence | None = None
    presence_at: float = 0.0
    report: Report | None = None
    reported_at: float = 0.0
    sightings: Sightings | None = None
    sighted_at: float = 0.0
    accepted: Stamp = Stamp()
    refused: Stamp = Stamp()
    refusals: tuple[str, ...] = ()


class NameserverBelief(msgspec.Struct, frozen=True):
    """What a nameserver answers, as proven by its own queries."""

    report: NameserverReport | None = None
    proven: Stamp = Stamp()
    refusals: tuple[str, ...] = ()


class Intent(msgspec.Struct, frozen=True):
    """An operator's standing wish to keep a PoP empty."""

    reason: str
    since: float


class World(msgspec.Struct, frozen=True):
    """What we believe.

    ``hosts`` is keyed by host name, ``pops`` maps each host to its PoP. ``began_at`` is when this
    controller started, ``connected_at`` when the broker was last found; before it has listened for
    long enough it decides nothing. ``undrained`` is when an operator last wanted a PoP back.
    """

    began_at: float
    hosts: Mapping[HostName, HostBelief] = {}
    pops: Mapping[HostName, PopName] = {}
    nameservers: Mapping[NameserverName, NameserverBelief] = {}
    drains: Mapping[PopName, Intent] = {}
    undrained: Mapping[PopName, float] = {}
    connected: bool = False
    epoch_seen: int = 0
    connected_at: float | None = None


def fold(world: World, observation: Observation, now: float) -> World:
    """The world after learning ``observation`` at ``now`` (seconds, controller's clock)."""
    match observation:
        case HostPresent() | HostReported() | HostSighted() | HostAnswered():
            return _of_host(world, observation, now)
        case NameserverReported() | NameserverAnswered():
            return _of_nameserver(world, observation)
        case DrainAsked() | UndrainAsked():
            return _of_operator(world, observation, now)
        case BusChanged(connected):
            return _connection(world, now, connected=connected)
        case EpochSeen(epoch):
            return _replace(world, epoch_seen=max(epoch, world.epoch_seen))
        case Tick():
            return world
        case never:
            assert_never(never)


def _of_host(
    world: World, seen: HostPresent | HostReported | HostSighted | HostAnswered, now: float
) -> World:
    match seen:
        case HostPresent(pop, host, presence):
            return _host(world, pop, host, presence=presence, presence_at=now)
        case HostReported(pop, host, report):
            # An agent that follows an order has seen its epoch; a new one must be above (I12).
            world = _replace(world, epoch_seen=max(report.order_epoch, world.epoch_seen))
            return _host(world, pop, host, report=report, reported_at=now)
        case HostSighted(pop, host, sightings):
            return _host(world, pop, host, sightings=sightings, sighted_at=now)
        case HostAnswered():
            return _answered(world, seen)


def _of_nameserver(world: World, seen: NameserverReported | NameserverAnswered) -> World:
    old = world.nameservers.get(seen.nameserver, NameserverBelief())
    match seen:
        case NameserverReported(nameserver, report):
            proven = Stamp(report.steering_epoch, report.steering_generation)
            return _nameserver(world, nameserver, old, report=report, proven=proven)
        case NameserverAnswered(nameserver, stamp, receipt):
            if receipt.answers_to != "steering" or stamp < old.proven:
                return world
            if receipt.outcome is Outcome.ACCEPTED:
                return _nameserver(world, nameserver, old, proven=stamp, refusals=())
            return _nameserver(world, nameserver, old, refusals=receipt.refusals)


def _of_operator(world: World, asked: DrainAsked | UndrainAsked, now: float) -> World:
    match asked:
        case DrainAsked(pop, reason):
            if pop in world.drains:
                return world
            return _replace(world, drains={**world.drains, pop: Intent(reason, now)})
        case UndrainAsked(pop):
            kept = {name: why for name, why in world.drains.items() if name != pop}
            return _replace(world, drains=kept, undrained={**world.undrained, pop: now})


def _connection(world: World, now: float, *, connected: bool) -> World:
    found = connected and not world.connected
    return _replace(world, connected=connected, connected_at=now if found else world.connected_at)


def _replace(world: World, **changes: object) -> World:
    return msgspec.structs.replace(world, **changes)


def _host(world: World, pop: PopName, host: HostName, **changes: object) -> World:
    old = world.hosts.get(host, HostBelief())
    new = msgspec.structs.replace(old, **changes)
    return _replace(world, hosts={**world.hosts, host: new}, pops={**world.pops, host: pop})


def _answered(world: World, seen: HostAnswered) -> World:
    old = world.hosts.get(seen.host, HostBelief())
    world = _replace(world, epoch_seen=max(seen.stamp.epoch, world.epoch_seen))
    if seen.receipt.outcome is Outcome.ACCEPTED:
        # A receipt also says what is on the wire, and often arrives before the next report.
        report = old.report
        if report is not None:
            report = msgspec.structs.replace(report, wire=seen.receipt.wire)
        accepted = max(old.accepted, seen.stamp)
        return _host(world, seen.pop, seen.host, accepted=accepted, report=report, refusals=())
    return _host(world, seen.pop, seen.host, refused=seen.stamp, refusals=seen.receipt.refusals)


def _nameserver(
    world: World, name: NameserverName, old: NameserverBelief, **changes: object
) -> World:
    new = msgspec.structs.replace(old, **changes)
    return _replace(world, nameservers={**world.nameservers, name: new})
