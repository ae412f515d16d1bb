"""From a message on a topic to an observation. Pure; what fits nowhere is none."""

from __future__ import annotations

from ambicast.contract.codec import Received
from ambicast.contract.messages import (
    ControllerPresence,
    NameserverReceipt,
    NameserverReport,
    Presence,
    Receipt,
    Report,
    Sightings,
)
from ambicast.contract.topics import FromController, OfHost, OfNameserver, Topic
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import HostName, NameserverName, PopName
from controller.world.observations import (
    EpochSeen,
    HostAnswered,
    HostPresent,
    HostReported,
    HostSighted,
    NameserverAnswered,
    NameserverReported,
    Observation,
)


def observation_of(fleet: Fleet, topic: Topic, message: Received) -> Observation | None:
    """What ``message`` on ``topic`` teaches, or none where host and message do not belong."""
    match topic:
        case FromController():
            if isinstance(message.body, ControllerPresence):
                return EpochSeen(message.stamp.epoch)
            return None
        case OfHost(pop, host):
            return _of_host(fleet, PopName(pop), HostName(host), message)
        case OfNameserver(nameserver):
            return _of_nameserver(fleet, NameserverName(nameserver), message)


def _of_host(fleet: Fleet, pop: PopName, host: HostName, message: Received) -> Observation | None:
    if pop not in fleet.pops or host not in fleet.pops[pop].hosts:
        return None
    match message.body:
        case Presence() as presence:
            return HostPresent(pop, host, presence)
        case Report() as report:
            return HostReported(pop, host, report)
        case Sightings() as sightings:
            return HostSighted(pop, host, sightings)
        case Receipt() as receipt:
            return HostAnswered(pop, host, message.stamp, receipt)
        case _:
            return None


def _of_nameserver(
    fleet: Fleet, nameserver: NameserverName, message: Received
) -> Observation | None:
    if nameserver not in fleet.nameservers:
        return None
    match message.body:
        case NameserverReport() as report:
            return NameserverReported(nameserver, report)
        case NameserverReceipt() as receipt:
            return NameserverAnswered(nameserver, message.stamp, receipt)
        case _:
            return None
