"""The controller's end of the bus: one connection, a last will, an outbox that only keeps newest.

The outbox holds one message per topic: a newer order replaces one that could not be sent yet,
because orders carry the whole desired set. After a reconnect everything sent before is sent
again: the broker may have been restarted empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable
from typing import NoReturn

import aiomqtt
import structlog

from ambicast.contract.codec import ContractError, Stamp, decode, encode
from ambicast.contract.messages import ControllerPresence
from ambicast.contract.topics import (
    Channel,
    FromController,
    OfHost,
    OfNameserver,
    Topic,
    everything_from_agents,
    parse,
    spell,
)
from ambicast.model.fleet import Fleet
from controller.choreography.run import PublishMap, PublishOrder, PublishSteering
from controller.config import Broker
from controller.fleet.reading import observation_of
from controller.loop import Send
from controller.world.observations import BusChanged, Observation

log = structlog.get_logger()

# Seconds; jittered, so that a fleet does not come back in one instant.
RETRY = (0.1, 1.0)
KEEPALIVE = 5
GOODBYE = 1.0


class Bus:
    """Implements the loop's ``Agents`` port over MQTT 5."""

    def __init__(
        self,
        broker: Broker,
        fleet: Fleet,
        instance: str,
        clock: Callable[[], float],
        tell: Callable[[Observation], None],
        epoch: int = 0,
    ) -> None:
        """``instance`` names this run of the program, ``epoch`` is the lowest it may work under.

        A last will is fixed when connecting, before the epoch is: it carries this one, so that it
        never takes back the fence that the journal holds.
        """
        self._broker = broker
        self._fleet = fleet
        self._instance = instance
        self._since = clock()
        self._tell = tell
        self._epoch = epoch
        self._said: int | None = None
        self._outbox: dict[str, bytes] = {}
        self._sent: dict[str, bytes] = {}
        self._wake = asyncio.Event()
        self._malformed = 0

    def send(self, command: Send) -> None:
        """Queues one message; a newer one to the same topic replaces it."""
        try:
            topic, payload = _message(command)
        except ContractError as fault:
            # Too large: the receiver keeps what it has, which is better than a dead controller.
            log.error("message not sent", kind=type(command).__name__, why=str(fault))
            return
        if command.stamp.epoch != self._said:
            self._said = self._epoch = command.stamp.epoch
            self._outbox[spell(self._fleet.name, FromController())] = self._presence(online=True)
        self._outbox[spell(self._fleet.name, topic)] = payload
        self._wake.set()

    async def run(self) -> NoReturn:
        """Stays connected for ever; silence of the broker changes nothing but ``connected``."""
        while True:
            try:
                await self._connected()
            except* (aiomqtt.MqttError, OSError) as lost:
                log.warning("broker lost", why=str(lost.exceptions[0]))
            self._tell(BusChanged(connected=False))
            await asyncio.sleep(random.uniform(*RETRY))  # noqa: S311 - jitter, not a secret

    async def _connected(self) -> None:
        presence = spell(self._fleet.name, FromController())
        will = aiomqtt.Will(presence, self._presence(online=False), qos=1, retain=True)
        async with aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=_password(self._broker),
            protocol=aiomqtt.ProtocolVersion.V5,
            identifier=f"controller-{self._instance}",
            will=will,
            keepalive=KEEPALIVE,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        ) as client:
            for pattern in everything_from_agents(self._fleet.name):
                await client.subscribe(pattern, qos=1)
            log.info("broker reached", host=self._broker.host)
            self._tell(BusChanged(connected=True))
            # What was sent before may be gone with the broker's memory.
            self._outbox = {**self._sent, **self._outbox}
            self._wake.set()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._receive(client), name="bus[receive]")
                    tasks.create_task(self._empty_outbox(client), name="bus[send]")
            except asyncio.CancelledError:
                # A clean goodbye: a broker keeps the last will to itself when one disconnects.
                await self._leave(client)
                raise

    async def _leave(self, client: aiomqtt.Client) -> None:
        topic = spell(self._fleet.name, FromController())
        gone = self._presence(online=False)
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await client.publish(topic, gone, qos=1, retain=True)

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = parse(self._fleet.name, str(message.topic))
            payload = bytes(message.payload or b"")
            if topic is None or not payload:
                continue
            try:
                observation = observation_of(self._fleet, topic, decode(payload))
            except ContractError as fault:
                self._malformed += 1
                if self._malformed == 1 or self._malformed % 1000 == 0:
                    log.warning(
                        "message dropped",
                        topic=str(message.topic),
                        why=str(fault),
                        so_far=self._malformed,
                    )
                continue
            if observation is not None:
                self._tell(observation)
        message_ended = "the broker ended the stream"
        raise aiomqtt.MqttError(message_ended)

    async def _empty_outbox(self, client: aiomqtt.Client) -> NoReturn:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                batch, self._outbox = self._outbox, {}
                self._sent |= batch
                # All at once: an emergency must not pay one round trip per PoP.
                async with asyncio.TaskGroup() as tasks:
                    for topic, payload in batch.items():
                        tasks.create_task(
                            client.publish(topic, payload, qos=1, retain=True),
                            name=f"bus[publish {topic}]",
                        )

    def _presence(self, *, online: bool) -> bytes:
        body = ControllerPresence(online=online, instance=self._instance, since=self._since)
        return encode(body, Stamp(epoch=self._epoch))


def _message(command: Send) -> tuple[Topic, bytes]:
    match command:
        case PublishOrder(pop, host, stamp, order):
            return OfHost(pop, host, Channel.ORDER), encode(order, stamp)
        case PublishSteering(nameserver, stamp, steering):
            return OfNameserver(nameserver, Channel.STEERING), encode(steering, stamp)
        case PublishMap(nameserver, stamp, clients):
            return OfNameserver(nameserver, Channel.MAP), encode(clients, stamp)


def _password(broker: Broker) -> str | None:
    if broker.password_file is None:
        return None
    with open(broker.password_file, encoding="utf-8") as secret:  # noqa: PTH123
        return secret.read().strip()
