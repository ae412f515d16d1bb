"""From a message on a topic to an observation. Pure; what belongs nowhere is an error."""

from __future__ import annotations

from typing import NoReturn

from ambicast.contract.codec import ContractError, Flaw, Received
from ambicast.contract.messages import (
    ControllerPresence,
    NameserverReceipt,
    NameserverReport,
    Presence,
    Receipt,
    Report,
    Sightings,
)
from ambicast.contract.topics import Channel, FromController, OfHost, OfNameserver, Topic
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

# A controller takes an epoch above all it hears of, and an epoch grows by one at each of its
# starts. One host that claims an absurd one must not leave the next controller without room.
MOST_EPOCHS = 2**40


def observation_of(fleet: Fleet, topic: Topic, message: Received) -> Observation | None:
    """What ``message`` on ``topic`` teaches; none where it is nothing we act on.

    Raises:
        ContractError: message and topic do not belong together, or the fleet has no such host.
    """
    _check_epoch(message.stamp.epoch)
    match topic:
        case FromController():
            if isinstance(message.body, ControllerPresence):
                return EpochSeen(message.stamp.epoch)
            return _misplaced(message)
        case OfHost(pop, host, channel):
            return _of_host(fleet, PopName(pop), HostName(host), channel, message)
        case OfNameserver(nameserver, channel):
            return _of_nameserver(fleet, NameserverName(nameserver), channel, message)


def _of_host(
    fleet: Fleet, pop: PopName, host: HostName, channel: Channel, message: Received
) -> Observation:
    if pop not in fleet.pops or host not in fleet.pops[pop].hosts:
        raise ContractError(f"the fleet has no host {host} in {pop}", Flaw.MISPLACED)
    match channel, message.body:
        case Channel.PRESENCE, Presence() as presence:
            return HostPresent(pop, host, presence)
        case Channel.REPORT, Report() as report:
            _check_epoch(report.order_epoch)
            return HostReported(pop, host, report)
        case Channel.SIGHTINGS, Sightings() as sightings:
            return HostSighted(pop, host, sightings)
        case Channel.RECEIPT, Receipt() as receipt:
            return HostAnswered(pop, host, message.stamp, receipt)
        case _:
            return _misplaced(message)


def _of_nameserver(
    fleet: Fleet, nameserver: NameserverName, channel: Channel, message: Received
) -> Observation | None:
    if nameserver not in fleet.nameservers:
        raise ContractError(f"the fleet has no nameserver {nameserver}", Flaw.MISPLACED)
    match channel, message.body:
        case Channel.PRESENCE, Presence():
            return None
        case Channel.REPORT, NameserverReport() as report:
            return NameserverReported(nameserver, report)
        case Channel.RECEIPT, NameserverReceipt() as receipt:
            return NameserverAnswered(nameserver, message.stamp, receipt)
        case _:
            return _misplaced(message)


def _misplaced(message: Received) -> NoReturn:
    kind = message.body.__struct_config__.tag
    raise ContractError(f"type {kind!r} does not belong here", Flaw.MISPLACED)


def _check_epoch(epoch: int) -> None:
    if epoch > MOST_EPOCHS:
        raise ContractError(f"epoch {epoch}; no controller starts that often", Flaw.BAD_STAMP)
