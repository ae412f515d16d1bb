"""The controller's bus beside a Mosquitto of our own, and somebody who listens."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from ambicast.broker.settings import Broker
from ambicast.contract.codec import decode
from ambicast.contract.topics import everything, parse
from controller.fleet.bus import Bus
from tests.behaviour.mosquitto.brokers import Mosquitto
from tests.choreography.fleets import three_pops


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


class Listener:
    """Everything of the fleet as (parsed topic, message), and what was dropped on the way."""

    def __init__(self):
        self._queue = asyncio.Queue()

    async def listen(self, client):
        async for message in client.messages:
            topic = parse("test", message.topic.value)
            self._queue.put_nowait((topic, decode(message.payload), message.retain))

    async def next(self, kind, where=lambda topic, received: True):
        """The next message with this kind of body; others are dropped."""
        async with asyncio.timeout(10):
            while True:
                topic, received, _ = await self._queue.get()
                if isinstance(received.body, kind) and where(topic, received):
                    return received


@contextlib.asynccontextmanager
async def listening(mosquitto):
    listener = Listener()
    async with mosquitto.client() as client:
        await client.subscribe(everything("test"), qos=1)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(listener.listen(client), name="listener")
            yield listener
            task.cancel()


class Station:
    """A running bus, and what it told the loop."""

    def __init__(self, port, epoch):
        self.told = asyncio.Queue()
        broker = Broker("127.0.0.1", port)
        self.bus = Bus(
            broker, three_pops(), f"run{epoch}", lambda: 5.0, self.told.put_nowait, epoch
        )

    async def expect(self, kind, where=lambda found: True):
        async with asyncio.timeout(10):
            while True:
                found = await self.told.get()
                if isinstance(found, kind) and where(found):
                    return found


@contextlib.asynccontextmanager
async def running(port, epoch=1):
    station = Station(port, epoch)
    async with asyncio.TaskGroup() as group:
        station.task = group.create_task(station.bus.run(), name="bus")
        yield station
        station.task.cancel()
