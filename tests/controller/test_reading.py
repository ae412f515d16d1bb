"""What a message on a topic means to the controller, and what is refused."""

from __future__ import annotations

import pytest

from ambicast.contract.codec import ContractError, Flaw, Received, Stamp
from ambicast.contract.messages import (
    ControllerPresence,
    NameserverReport,
    Order,
    Outcome,
    Presence,
    Receipt,
    Report,
    Sightings,
)
from ambicast.contract.topics import Channel, FromController, OfHost, OfNameserver
from controller.fleet.reading import MOST_EPOCHS, observation_of
from controller.world.observations import (
    EpochSeen,
    HostAnswered,
    HostPresent,
    HostReported,
    HostSighted,
    NameserverReported,
)
from tests.choreography.fleets import three_pops

FLEET = three_pops()
STAMP = Stamp(2, 3)
PRESENCE = Presence(online=True, instance="i", since=0.0)
REPORT = Report(instance="i")
SIGHTINGS = Sightings(instance="i", seen=())
RECEIPT = Receipt(outcome=Outcome.ACCEPTED)
THERE = ControllerPresence(online=True, instance="c", since=0.0)
OF_NAMESERVER = NameserverReport(instance="i", running=True)


def of_ams(channel):
    return OfHost("ams", "ams-1", channel)


@pytest.mark.parametrize(
    ("topic", "body", "observed"),
    [
        (FromController(), THERE, EpochSeen(2)),
        (of_ams(Channel.PRESENCE), PRESENCE, HostPresent("ams", "ams-1", PRESENCE)),
        (of_ams(Channel.REPORT), REPORT, HostReported("ams", "ams-1", REPORT)),
        (of_ams(Channel.SIGHTINGS), SIGHTINGS, HostSighted("ams", "ams-1", SIGHTINGS)),
        (of_ams(Channel.RECEIPT), RECEIPT, HostAnswered("ams", "ams-1", STAMP, RECEIPT)),
        (
            OfNameserver("ams", Channel.REPORT),
            OF_NAMESERVER,
            NameserverReported("ams", OF_NAMESERVER),
        ),
        (OfNameserver("ams", Channel.PRESENCE), PRESENCE, None),
    ],
    ids=["controller", "presence", "report", "sightings", "receipt", "nameserver", "nothing"],
)
def test_each_message_teaches_something_on_its_own_topic(topic, body, observed):
    assert observation_of(FLEET, topic, Received(STAMP, body)) == observed


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (OfHost("fra", "ams-1", Channel.REPORT), REPORT),
        (OfHost("ams", "nowhere-1", Channel.REPORT), REPORT),
        (OfHost("nowhere", "ams-1", Channel.REPORT), REPORT),
        (of_ams(Channel.PRESENCE), REPORT),
        (of_ams(Channel.TELEMETRY), REPORT),
        (of_ams(Channel.REPORT), OF_NAMESERVER),
        (OfNameserver("nowhere", Channel.REPORT), OF_NAMESERVER),
        (OfNameserver("ams", Channel.REPORT), REPORT),
        (FromController(), PRESENCE),
        (of_ams(Channel.RECEIPT), Order(advertisements=(), terminate=())),
    ],
    ids=str,
)
def test_what_does_not_belong_there_is_refused(topic, body):
    with pytest.raises(ContractError) as fault:
        observation_of(FLEET, topic, Received(STAMP, body))
    assert fault.value.flaw is Flaw.MISPLACED


@pytest.mark.parametrize(
    ("stamp", "body"),
    [
        (Stamp(MOST_EPOCHS + 1), REPORT),
        (STAMP, Report(instance="i", order_epoch=MOST_EPOCHS + 1)),
    ],
    ids=["stamp", "report"],
)
def test_one_host_cannot_use_up_the_epochs_of_all_controllers(stamp, body):
    with pytest.raises(ContractError) as fault:
        observation_of(FLEET, of_ams(Channel.REPORT), Received(stamp, body))
    assert fault.value.flaw is Flaw.BAD_STAMP
