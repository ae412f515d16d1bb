"""The controller's end of the bus against a real Mosquitto."""

from __future__ import annotations

import asyncio

import pytest

from ambicast.contract.codec import Stamp, encode
from ambicast.contract.messages import ControllerPresence, Order, Presence, Report, Steering
from ambicast.contract.topics import Channel, FromController, OfHost, spell
from ambicast.model.identifiers import HostName, NameserverName
from controller.choreography.run import PublishOrder, PublishSteering
from controller.loop import SendFault
from controller.world.observations import BusChanged, EpochSeen, HostPresent, HostReported
from tests.choreography.fleets import AMS
from tests.integration.controller.conftest import listening, running

AMS1 = HostName("ams-1")
ONE = ("198.18.0.10",)


def order(generation, reason="", epoch=1):
    what = Order(advertisements=(), terminate=ONE, reason=reason)
    return PublishOrder(AMS, AMS1, Stamp(epoch, generation), what)


async def test_an_order_is_retained_with_its_stamp(mosquitto):
    async with running(mosquitto.port) as station:
        station.bus.send(order(7, "first"))
        async with listening(mosquitto) as listener:
            received = await listener.next(Order)
    assert received.stamp == Stamp(1, 7)
    async with listening(mosquitto) as late:
        assert (await late.next(Order)).body.reason == "first"


async def test_only_the_newest_of_unsent_orders_travels(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        for generation in range(1, 50):
            station.bus.send(order(generation))
        assert (await listener.next(Order)).stamp == Stamp(1, 49)


async def test_steering_and_presence_reach_everybody(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        steering = Steering(ttl=20, answers={"www": {"default": ("198.19.254.1",)}})
        station.bus.send(PublishSteering(NameserverName("ams"), Stamp(4, 2), steering))
        presence = await listener.next(ControllerPresence)
        assert (presence.stamp.epoch, presence.body.online) == (4, True)
        assert (await listener.next(Steering)).body == steering


async def test_what_agents_say_reaches_the_loop_and_nonsense_does_not(mosquitto):
    async with running(mosquitto.port) as station:
        await station.expect(BusChanged, lambda found: found.connected)
        async with mosquitto.client() as agent:

            async def say(pop, host, channel, payload):
                await agent.publish(spell("test", OfHost(pop, host, channel)), payload, qos=1)

            await say("ams", "ams-1", Channel.REPORT, b"not a message")
            await say("ams", "nowhere-1", Channel.REPORT, encode(Report(instance="x")))
            await say("fra", "ams-1", Channel.REPORT, encode(Report(instance="x")))
            await say("ams", "ams-1", Channel.REPORT, encode(Report(instance="mine")))
            await say(
                "ams",
                "ams-1",
                Channel.PRESENCE,
                encode(Presence(online=True, instance="mine", since=1)),
            )
        reported = await station.expect(HostReported)
        assert (reported.host, reported.report.instance) == ("ams-1", "mine")
        assert (await station.expect(HostPresent)).presence.online


async def test_a_broker_that_comes_back_empty_is_told_everything_again(mosquitto):
    async with running(mosquitto.port) as station:
        async with listening(mosquitto) as listener:
            station.bus.send(order(3))
            await listener.next(Order)
            await station.expect(BusChanged, lambda found: found.connected)
        mosquitto.kill()
        await station.expect(BusChanged, lambda found: not found.connected)
        station.bus.send(order(4, "while the broker was away"))
        mosquitto.start()
        await station.expect(BusChanged, lambda found: found.connected)
        async with listening(mosquitto) as listener:
            assert (await listener.next(Order)).stamp == Stamp(1, 4)
        async with listening(mosquitto) as listener:
            assert (await listener.next(ControllerPresence)).body.online


async def test_a_stopped_controller_says_goodbye_under_its_epoch(mosquitto):
    async with listening(mosquitto) as listener:
        async with running(mosquitto.port, epoch=5) as station:
            station.bus.send(order(1, epoch=6))
            assert (await listener.next(ControllerPresence)).body.online
        gone = await listener.next(ControllerPresence)
    assert (gone.body.online, gone.stamp.epoch) == (False, 6)


async def test_the_last_will_of_a_killed_controller_keeps_the_fence(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port, epoch=5) as station:
        station.bus.send(order(1, epoch=5))
        await listener.next(ControllerPresence, lambda _, each: each.body.online)
        # The same client identifier taken over: the broker ends the first session with its will.
        async with mosquitto.client(identifier="controller-run5"):
            gone = await listener.next(ControllerPresence, lambda _, each: not each.body.online)
        assert gone.stamp.epoch == 5


async def test_a_new_controller_hears_the_epoch_of_the_one_before(mosquitto):
    presence = encode(ControllerPresence(online=False, instance="old", since=0), Stamp(9))
    async with mosquitto.client() as before:
        await before.publish(spell("test", FromController()), presence, qos=1, retain=True)
    async with running(mosquitto.port) as station:
        assert (await station.expect(EpochSeen)).epoch == 9


async def test_presence_is_said_again_with_a_higher_beat_and_stays_retained(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        await station.expect(BusChanged, lambda found: found.connected)
        station.bus.send(order(1))
        beats = [(await listener.next(ControllerPresence)).body.beat for _ in range(3)]
        assert beats == [1, 2, 3]
        async with listening(mosquitto) as late:
            assert (await late.next(ControllerPresence)).body.beat >= 3


async def test_a_controller_that_has_decided_nothing_does_not_say_that_it_is_there(mosquitto):
    """Its epoch may be lower than that of the one before, whose fence it would take away."""
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        await station.expect(BusChanged, lambda found: found.connected)
        await asyncio.sleep(1.2)  # longer than a beat
        station.bus.send(order(1, epoch=7))
        first = await listener.next(ControllerPresence)
        assert (first.stamp.epoch, first.body.beat) == (7, 1)


async def test_another_controllers_beats_are_told_once(mosquitto):
    async with running(mosquitto.port) as station, mosquitto.client() as other:
        await station.expect(BusChanged, lambda found: found.connected)
        station.bus.send(order(1))
        for epoch in (9, 9, 9, 8, 10):
            presence = ControllerPresence(online=True, instance="other", since=0, beat=epoch)
            topic = spell("test", FromController())
            await other.publish(topic, encode(presence, Stamp(epoch)), qos=1)
        assert (await station.expect(EpochSeen)).epoch == 9
        assert (await station.expect(EpochSeen)).epoch == 10


async def test_a_message_that_is_too_large_is_a_fault_and_the_receiver_keeps_what_it_has(
    mosquitto,
):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        station.bus.send(order(1, "small"))
        with pytest.raises(SendFault, match=r"ams-1/order: a message of .* bytes; at most 262144"):
            station.bus.send(order(2, "x" * 300_000))
        assert (await listener.next(Order)).body.reason == "small"


async def test_a_bus_that_cannot_reach_its_broker_can_still_be_stopped(mosquitto):
    mosquitto.kill()
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.3), running(mosquitto.port) as station:
            await station.expect(EpochSeen)
