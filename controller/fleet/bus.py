"""The controller's end of the bus: one connection, a last will, an outbox that only keeps newest.

What waits and in which turn it goes: :mod:`controller.fleet.outbox`.

Presence is said anew every second, from the first message on: before it, this controller has
decided nothing and has no epoch of its own. What comes in and is of no use is counted by topic and
flaw, logged once for each, and dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from typing import NoReturn

import aiomqtt
import structlog

from ambicast.broker.connecting import client_of
from ambicast.broker.settings import Broker
from ambicast.contract.codec import ContractError, Stamp, decode, encode
from ambicast.contract.messages import ControllerPresence, Message
from ambicast.contract.tally import ELSEWHERE, Tally, worth_telling
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
from controller.fleet.outbox import WINDOW, Outbox
from controller.fleet.reading import observation_of
from controller.fleet.reminding import Reminders
from controller.loop import Send, SendFault
from controller.world.observations import BusChanged, EpochSeen, HostAnswered, Observation

log = structlog.get_logger()

# Seconds; jittered, so that a fleet does not come back in one instant.
RETRY = (0.1, 1.0)
CONFIRM_WITHIN = 3.0
BEAT = 1.0
GOODBYE = 1.0
LONGEST_TOPIC = 200


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
        self._clock = clock
        self._since = clock()
        self._tell = tell
        self._epoch = epoch
        self._said: int | None = None
        self._beat = 0
        self._epoch_told = -1
        self._outbox = Outbox(self._presence_topic)
        self._reminders = Reminders()
        self._tally = Tally()

    def dropped(self) -> Mapping[str, int]:
        """How many messages were of no use, by what was wrong with them."""
        return self._tally.by_flaw()

    def send(self, command: Send) -> None:
        """Queues one message; a newer one to the same topic replaces it.

        Raises:
            SendFault: it is too large. The receiver keeps what it has.
        """
        place, body = _message(command)
        topic = spell(self._fleet.name, place)
        try:
            payload = encode(body, command.stamp)
        except ContractError as fault:
            raise SendFault(f"{topic}: {fault}") from None
        if command.stamp.epoch != self._said:
            self._said = self._epoch = command.stamp.epoch
            self._outbox.put(self._presence_topic, self._next_beat())
        if isinstance(command, PublishOrder):
            self._reminders.sent(topic, command.stamp)
        self._outbox.put(topic, payload)

    async def run(self) -> NoReturn:
        """Stays connected for ever; silence of the broker changes nothing but ``connected``."""
        failures = 0
        while True:
            try:
                await self._connected()
            except* (aiomqtt.MqttError, OSError) as lost:
                failures += 1
                if worth_telling(failures):
                    log.warning("broker lost", why=str(lost.exceptions[0]), so_far=failures)
            self._tell(BusChanged(connected=False))
            await asyncio.sleep(random.uniform(*RETRY))  # noqa: S311 - jitter, not a secret

    async def _connected(self) -> None:
        name = f"controller-{self._instance}"
        will = aiomqtt.Will(self._presence_topic, self._presence(online=False), 1, retain=True)
        async with client_of(self._broker, name, will, timeout=CONFIRM_WITHIN) as client:
            patterns = everything_from_agents(self._fleet.name)
            await client.subscribe([(pattern, 1) for pattern in patterns])
            log.info("broker reached", host=self._broker.host)
            self._tell(BusChanged(connected=True))
            self._outbox.again()
            if self._said is not None:
                self._outbox.put(self._presence_topic, self._next_beat())
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._receive(client), name="bus[receive]")
                    tasks.create_task(self._empty_outbox(client), name="bus[send]")
                    tasks.create_task(self._keep_beating(client), name="bus[beat]")
            except asyncio.CancelledError:
                # A clean goodbye: a broker keeps the last will to itself when one disconnects.
                await self._leave(client)
                raise

    async def _leave(self, client: aiomqtt.Client) -> None:
        gone = self._presence(online=False)
        with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await client.publish(self._presence_topic, gone, qos=1, retain=True)

    async def _receive(self, client: aiomqtt.Client) -> NoReturn:
        async for message in client.messages:
            self._take(str(message.topic), bytes(message.payload or b""))
        message_ended = "the broker ended the stream"
        raise aiomqtt.MqttError(message_ended)

    def _take(self, text: str, payload: bytes) -> None:
        """One message; never raises for what is in it."""
        topic = parse(self._fleet.name, text)
        if topic is None or not payload:
            return
        try:
            received = decode(payload)
            if getattr(received.body, "instance", None) == self._instance:
                return  # our own presence
            observation = observation_of(self._fleet, topic, received)
        except ContractError as fault:
            count = self._tally.note(text if len(text) < LONGEST_TOPIC else ELSEWHERE, fault.flaw)
            if worth_telling(count):
                why = str(fault)
                log.warning("message dropped", topic=text, flaw=fault.flaw, why=why, so_far=count)
            return
        if isinstance(observation, EpochSeen):
            # Another controller says it every second; once is enough.
            if observation.epoch <= self._epoch_told:
                return
            self._epoch_told = observation.epoch
        if isinstance(observation, HostAnswered):
            self._remind_after(observation)
        if observation is not None:
            self._tell(observation)

    def _remind_after(self, answer: HostAnswered) -> None:
        topic = spell(self._fleet.name, OfHost(answer.pop, answer.host, Channel.ORDER))
        self._reminders.answered(topic, answer.stamp, answer.receipt.outcome)
        self._remind()

    def _remind(self) -> None:
        for topic in self._reminders.due(self._clock()):
            log.warning("a host answered something that is not our order: said again", topic=topic)
            self._outbox.repeat(topic)

    async def _empty_outbox(self, client: aiomqtt.Client) -> NoReturn:
        room = asyncio.Semaphore(WINDOW)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await room.acquire()
                topic, payload = await self._outbox.take()
                sending = self._deliver(client, topic, payload, room)
                tasks.create_task(sending, name=f"bus[publish {topic}]")

    async def _deliver(
        self, client: aiomqtt.Client, topic: str, payload: bytes, room: asyncio.Semaphore
    ) -> None:
        await client.publish(topic, payload, qos=1, retain=True)
        self._outbox.confirm(topic, payload)
        room.release()

    async def _keep_beating(self, client: aiomqtt.Client) -> NoReturn:
        while True:
            await asyncio.sleep(BEAT)
            self._remind()
            if self._said is not None:
                await client.publish(self._presence_topic, self._next_beat(), qos=0, retain=True)

    @property
    def _presence_topic(self) -> str:
        return spell(self._fleet.name, FromController())

    def _next_beat(self) -> bytes:
        self._beat += 1
        return self._presence(online=True)

    def _presence(self, *, online: bool) -> bytes:
        body = ControllerPresence(
            online=online, instance=self._instance, since=self._since, beat=self._beat
        )
        return encode(body, Stamp(epoch=self._epoch))


def _message(command: Send) -> tuple[Topic, Message]:
    match command:
        case PublishOrder(pop, host, _, order):
            return OfHost(pop, host, Channel.ORDER), order
        case PublishSteering(nameserver, _, steering):
            return OfNameserver(nameserver, Channel.STEERING), steering
        case PublishMap(nameserver, _, clients):
            return OfNameserver(nameserver, Channel.MAP), clients
