"""The bus of one host, and somebody who listens to everything."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from agents.mqtt.bus import Bus
from agents.mqtt.mailroom import Identity
from ambicast.broker.settings import Broker
from ambicast.contract.codec import decode
from ambicast.contract.topics import everything
from tests.behaviour.mosquitto.brokers import Mosquitto

ME = Identity(
    fleet="test",
    pop="ams",
    host="ams-1",
    roles=("bgp", "dns"),
    instance="one",
    since=5.0,
    nameserver="ns1",
)


class Listener:
    """Everything of the fleet, as (last part of the topic, message)."""

    def __init__(self):
        self._queue = asyncio.Queue()

    async def listen(self, client):
        async for message in client.messages:
            kind = message.topic.value.rpartition("/")[2]
            self._queue.put_nowait((kind, message))

    async def next(self, wanted, where=lambda body: True):
        """The next message of this kind for which ``where`` holds; others are dropped."""
        async with asyncio.timeout(10):
            while True:
                kind, message = await self._queue.get()
                if kind == wanted and message.payload:
                    received = decode(message.payload)
                    if where(received.body):
                        return received


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


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
    """A running bus and what it told."""

    def __init__(self, port):
        self.told = asyncio.Queue()
        self.heard = asyncio.Queue()
        self.bus = Bus(
            Broker("127.0.0.1", port),
            ME,
            self.told.put_nowait,
            lambda *arguments: self.heard.put_nowait(arguments),
        )

    async def expect(self, kind, where=lambda found: True):
        async with asyncio.timeout(10):
            while True:
                found = await self.told.get()
                if isinstance(found, kind) and where(found):
                    return found


@contextlib.asynccontextmanager
async def running(port):
    station = Station(port)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(station.bus.run(), name="bus")
        yield station
        task.cancel()
