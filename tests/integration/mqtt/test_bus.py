"""The agent's bus against a real Mosquitto."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from agents.advertising.observations import BusChanged, OrderArrived, OrderUnreadable
from ambicast.contract.codec import Stamp, encode
from ambicast.contract.messages import (
    NameserverReceipt,
    NameserverReport,
    Order,
    Outcome,
    Receipt,
    Report,
    Sightings,
    Steering,
)
from ambicast.contract.topics import Channel
from ambicast.model.identifiers import Family
from tests.integration.mqtt.conftest import ME, listening, running

ORDER = Order(advertisements=(), terminate=("198.18.0.10",))
ORDER_TOPIC = ME.topic(Channel.ORDER)


def connected(found):
    return found.connected


async def test_it_says_that_it_is_there_and_when_it_goes(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        here = await listener.next("presence")
        assert (here.body.online, here.body.instance) == (True, "one")
        assert here.body.roles == ("bgp", "dns")
        station.bus.leave()
        gone = await listener.next("presence", lambda body: not body.online)
        assert gone.body.instance == "one"


async def test_an_order_given_while_it_was_away_arrives(mosquitto):
    async with mosquitto.client() as client:
        await client.publish(ORDER_TOPIC, encode(ORDER, Stamp(3, 4)), qos=1, retain=True)
    async with running(mosquitto.port) as station:
        assert await station.expect(OrderArrived) == OrderArrived(Stamp(3, 4), ORDER)


async def test_a_bad_order_is_told(mosquitto):
    async with running(mosquitto.port) as station, mosquitto.client() as client:
        await station.expect(BusChanged, connected)
        await client.publish(ORDER_TOPIC, b'{"type": "order"}', qos=1)
        assert (await station.expect(OrderUnreadable)).why


async def test_steering_is_heard_and_answered(mosquitto):
    steering = Steering(ttl=20.0, answers={"www": {"default": ("198.19.254.1",)}})
    async with (
        listening(mosquitto) as listener,
        running(mosquitto.port) as station,
        mosquitto.client() as client,
    ):
        await station.expect(BusChanged, connected)
        topic = ME.nameserver_topic(Channel.STEERING)
        await client.publish(topic, encode(steering, Stamp(1, 9)), qos=1, retain=True)
        assert await station.heard.get() == (Stamp(1, 9), steering)
        station.bus.publish_nameserver_receipt(
            Stamp(1, 9), NameserverReceipt(outcome=Outcome.ACCEPTED, proven=3)
        )
        station.bus.publish_nameserver_report(NameserverReport(instance="one", running=True))
        receipt = await listener.next("receipt")
        assert (receipt.stamp, receipt.body.proven) == (Stamp(1, 9), 3)
        assert (await listener.next("report")).body.running


async def test_reports_and_sightings_are_retained_with_the_stamp_of_the_order(mosquitto):
    async with running(mosquitto.port) as station:
        station.bus.publish_report(Report(instance="one", order_epoch=2, order_generation=7))
        station.bus.publish_sightings(Sightings(instance="one", seen=()))
        async with listening(mosquitto) as early:
            await early.next("report")
            await early.next("sightings")
    async with listening(mosquitto) as late:
        assert (await late.next("report")).stamp == Stamp(2, 7)


async def test_what_was_said_while_the_broker_was_away_is_said_when_it_is_back(mosquitto):
    async with running(mosquitto.port) as station:
        await station.expect(BusChanged, connected)
        station.bus.publish_report(Report(instance="old"))
        mosquitto.kill()
        await station.expect(BusChanged, lambda found: not found.connected)
        for generation in (1, 2, 3):
            station.bus.publish_receipt(Stamp(1, generation), Receipt(outcome=Outcome.ACCEPTED))
        station.bus.publish_report(Report(instance="new"))
        mosquitto.start()
        async with listening(mosquitto) as listener:
            generations = [(await listener.next("receipt")).stamp.generation for _ in range(3)]
            assert generations == [1, 2, 3]
        async with listening(mosquitto) as listener:
            assert (await listener.next("report")).body.instance == "new"


async def test_a_reconnect_repeats_every_state_on_a_new_connection(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        station.bus.publish_report(Report(instance="one"))
        await listener.next("report")
        await station.expect(BusChanged, connected)
        began = asyncio.get_running_loop().time()
        station.bus.reconnect()
        await station.expect(BusChanged, lambda found: not found.connected)
        await station.expect(BusChanged, connected)
        assert asyncio.get_running_loop().time() - began < 1.0
        await listener.next("presence", lambda body: body.online)
        await listener.next("report")


async def test_a_confirmed_receipt_is_not_sent_again(mosquitto):
    async with listening(mosquitto) as listener, running(mosquitto.port) as station:
        await station.expect(BusChanged, connected)
        station.bus.publish_receipt(Stamp(1, 1), Receipt(outcome=Outcome.ACCEPTED))
        await listener.next("receipt")
        async with mosquitto.client() as client:  # by now the confirmation came, too
            await client.publish(ORDER_TOPIC, encode(ORDER, Stamp(1, 1)), qos=1)
        await station.expect(OrderArrived)
        station.bus.reconnect()
        await station.expect(BusChanged, lambda found: not found.connected)
        await station.expect(BusChanged, connected)
        station.bus.publish_receipt(Stamp(1, 2), Receipt(outcome=Outcome.ACCEPTED))
        assert (await listener.next("receipt")).stamp == Stamp(1, 2)


async def test_a_change_of_the_other_family_leaves_the_connection_alone(mosquitto):
    async with running(mosquitto.port) as station, mosquitto.client() as client:
        await station.expect(BusChanged, connected)
        station.bus.reconnect(frozenset({Family.V6}))
        await client.publish(ORDER_TOPIC, encode(ORDER, Stamp(1, 1)), qos=1)
        await station.expect(OrderArrived)
        assert station.bus.reconnects == 0


class Swallow:
    """A way to the broker that can go silent: bytes are taken and never passed on."""

    def __init__(self, port):
        self._target, self._writers = port, []
        self.silent = asyncio.Event()
        self.ended_by_broker = asyncio.Event()
        self.ways = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *fault):
        self._server.close()
        self.cut()

    def cut(self):
        """Both ends break without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _join(self, reader, writer):
        self.ways += 1
        silent = asyncio.Event() if self.ways > 1 else self.silent
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, back]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pass(reader, back, silent), name="there")
            group.create_task(self._pass(there, writer, silent), name="back")
        if silent is self.silent:
            self.ended_by_broker.set()

    async def _pass(self, reader, writer, silent):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not silent.is_set():
                    writer.write(data)
            if not silent.is_set():
                writer.close()


@pytest.mark.parametrize("told", [True, False], ids=["reconnect", "by itself"])
async def test_a_silent_way_to_the_broker_is_left(mosquitto, told):
    async with (
        Swallow(mosquitto.port) as way,
        listening(mosquitto) as listener,
        running(way.port) as station,
    ):
        await station.expect(BusChanged, connected)
        began = asyncio.get_running_loop().time()
        way.silent.set()
        station.bus.publish_receipt(Stamp(1, 1), Receipt(outcome=Outcome.ACCEPTED))
        if told:
            station.bus.reconnect()
        assert (await listener.next("receipt")).stamp == Stamp(1, 1)
        assert asyncio.get_running_loop().time() - began < (0.5 if told else 5.0)
        await listener.next("presence", lambda body: body.online)
        async with asyncio.timeout(2):
            await way.ended_by_broker.wait()


async def test_the_will_of_a_connection_that_broke_says_offline(mosquitto):
    async with (
        Swallow(mosquitto.port) as way,
        listening(mosquitto) as listener,
        running(way.port) as station,
    ):
        await station.expect(BusChanged, connected)
        await listener.next("presence", lambda body: body.online)
        way.cut()
        gone = await listener.next("presence", lambda body: not body.online)
        assert gone.body.instance == "one"
        await listener.next("presence", lambda body: body.online)
