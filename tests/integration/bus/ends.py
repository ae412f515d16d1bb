"""Both ends of the bus: an agent's loop with its real bus, and the controller's bus."""

from __future__ import annotations

import asyncio
import contextlib

from agents.loop import Agent, Ports
from agents.mqtt.bus import Bus as AgentBus
from agents.mqtt.mailroom import Identity
from ambicast.broker.settings import Broker
from ambicast.contract.codec import Stamp, encode
from ambicast.contract.topics import Channel, OfHost, spell
from ambicast.model.identifiers import HostName
from controller.choreography.run import PublishOrder
from controller.fleet.bus import Bus as ControllerBus
from controller.world.observations import BusChanged
from tests.agents_advertising.hosts import ANYCAST, FACTS, OWN, Host, order
from tests.choreography.fleets import AMS, three_pops

AMS1 = HostName("ams-1")
ORDER_TOPIC = spell("test", OfHost("ams", "ams-1", Channel.ORDER))
PATIENCE = 20


class Bell:
    """Rung whenever something happened at one of the ends."""

    def __init__(self):
        self._waiting = []

    def ring(self):
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def rung(self):
        self._waiting.append(asyncio.get_running_loop().create_future())
        await self._waiting[-1]


BELL = Bell()


async def until(holds):
    """Until ``holds()``; looks again whenever an end has learned something."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await BELL.rung()


class _Agent(Agent):
    def step(self, observation):
        super().step(observation)
        BELL.ring()


class _Silent:
    """A port nobody listens at."""

    def __getattr__(self, name):
        return lambda *_: None


class _Wire(_Silent):
    """BGP: every set that was wanted and is not the one before."""

    def __init__(self):
        self.wanted = []

    def want(self, advertisements):
        if self.wanted[-1:] != [advertisements]:
            self.wanted.append(advertisements)


class HostEnd:
    """ams-1, which advertises its own and anycast prefixes by order (1, 1), with its own bus."""

    def __init__(self, port, **broker):
        loop = asyncio.get_running_loop()
        began = loop.time()
        me = Identity(
            fleet="test", pop="ams", host="ams-1", roles=("bgp",), instance="i", since=0.0
        )
        self.seen, self.wire = [], _Wire()
        self.bus = AgentBus(Broker("127.0.0.1", port, **broker), me, self._tell)
        ports = Ports(bus=self.bus, orders=_Silent(), bgp=self.wire)
        state = Host.healthy(OWN, ANYCAST).state
        self.agent = _Agent(FACTS, ports, lambda: 1000.0 + loop.time() - began, state)

    def _tell(self, observation):
        self.seen.append(observation)
        self.agent.tell(observation)
        BELL.ring()

    @property
    def held(self):
        return self.agent.state.held.stamp


class ControllerEnd:
    """The controller's bus, and what it told."""

    def __init__(self, port, epoch=1, **broker):
        self.told = []
        self.bus = ControllerBus(
            Broker("127.0.0.1", port, **broker),
            three_pops(),
            f"run{epoch}",
            lambda: 5.0,
            self._hear,
            epoch,
        )

    def _hear(self, observation):
        self.told.append(observation)
        BELL.ring()

    def give(self, generation, *prefixes, epoch=1):
        self.bus.send(PublishOrder(AMS, AMS1, Stamp(epoch, generation), order(*prefixes)))

    def of(self, kind):
        return [each for each in self.told if isinstance(each, kind)]

    @property
    def connected(self):
        changes = self.of(BusChanged)
        return bool(changes) and changes[-1].connected


@contextlib.asynccontextmanager
async def running(*ends):
    """All of them at once."""
    async with asyncio.TaskGroup() as group:
        tasks = []
        for end in ends:
            tasks.append(group.create_task(end.bus.run(), name="bus"))
            if isinstance(end, HostEnd):
                tasks.append(group.create_task(end.agent.run(), name="agent"))
        yield
        for task in tasks:
            task.cancel()


def an_order(generation, *prefixes, epoch=1):
    return encode(order(*prefixes), Stamp(epoch, generation))
