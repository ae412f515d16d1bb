"""The connection to the broker: one at a time, rebuilt whenever it is doubted.

Nothing depends on it: while it is away states are replaced by newer ones and receipts wait. Every
new connection starts anew (clean session): presence, then every state and every receipt the old
one did not confirm; the broker repeats the retained order and steering in return.

A TCP connection stays on the uplink it began on, and that uplink may have gone silent, with
minutes of retransmissions ahead. So an unconfirmed message ends the connection after
``CONFIRM_WITHIN``, and ``reconnect`` ends it at once; the client's name is the same each time, so
that the broker drops what is left of the old connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agents.advertising.observations import BusChanged
from agents.mqtt.fitting import fitting
from agents.mqtt.mailroom import Hear, Identity, Mailroom, Tell
from agents.mqtt.outbox import Letter, Outbox
from ambicast.broker.connecting import client_of
from ambicast.broker.settings import Broker
from ambicast.contract.codec import ContractError, Stamp, encode
from ambicast.contract.messages import (
    Message,
    NameserverReceipt,
    NameserverReport,
    Presence,
    Receipt,
    Report,
    Sightings,
)
from ambicast.contract.tally import worth_telling
from ambicast.contract.topics import Channel
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import PrefixError, address, family

CONFIRM_WITHIN = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0

log = structlog.get_logger()


class _Ended(Exception):  # noqa: N818 - no error
    """The connection was ended on purpose."""


class Bus:
    """Everything this host says to the controller, and hears from it.

    Args:
        broker: where it is.
        me: who this host is.
        tell: gets orders and the state of the connection.
        hear: gets steering and client maps, on a host with a nameserver.
    """

    def __init__(self, broker: Broker, me: Identity, tell: Tell, hear: Hear | None = None) -> None:
        self._broker, self._me, self._tell = broker, me, tell
        self._mailroom = Mailroom(me, tell, hear)
        self._outbox = Outbox()
        self._ending = asyncio.Event()
        self._leaving = False
        self._family = _family_of(broker.host)
        self.reconnects = 0
        self.unsent = 0

    def publish_report(self, report: Report) -> None:
        """The whole state of this host (retained)."""
        stamp = Stamp(report.order_epoch, report.order_generation)
        self._put_state(self._me.topic(Channel.REPORT), report, stamp)

    def publish_sightings(self, sightings: Sightings) -> None:
        """What this host's watcher sees (retained)."""
        self._put_state(self._me.topic(Channel.SIGHTINGS), sightings, Stamp())

    def publish_receipt(self, stamp: Stamp, receipt: Receipt) -> None:
        """The answer to the order with ``stamp``."""
        self._put_answer(self._me.topic(Channel.RECEIPT), receipt, stamp)

    def publish_nameserver_report(self, report: NameserverReport) -> None:
        """The whole state of this host's nameserver (retained)."""
        stamp = Stamp(report.steering_epoch, report.steering_generation)
        self._put_state(self._me.nameserver_topic(Channel.REPORT), report, stamp)

    def publish_nameserver_receipt(self, stamp: Stamp, receipt: NameserverReceipt) -> None:
        """The answer to the steering message or client map with ``stamp``."""
        self._put_answer(self._me.nameserver_topic(Channel.RECEIPT), receipt, stamp)

    def _put_state(self, topic: str, body: Message, stamp: Stamp) -> None:
        try:
            self._outbox.put_state(topic, encode(body, stamp))
        except ContractError as fault:
            self._unsendable(topic, fault)

    def _put_answer(self, topic: str, body: Receipt | NameserverReceipt, stamp: Stamp) -> None:
        try:
            self._outbox.put_answer(topic, fitting(body, stamp))
        except ContractError as fault:
            self._unsendable(topic, fault)

    def _unsendable(self, topic: str, fault: ContractError) -> None:
        """Looking after the host goes on, whatever there is to say about it."""
        self.unsent += 1
        if worth_telling(self.unsent):
            log.error("message not sent", topic=topic, why=str(fault), so_far=self.unsent)

    def reconnect(self, families: frozenset[Family] = frozenset(Family)) -> None:
        """Drop the connection, whatever it thinks of itself, and make a new one at once.

        Only if its family may be one of ``families``: those whose way out has changed.
        """
        if self._family is None or self._family in families:
            self._ending.set()

    def leave(self) -> None:
        """Say good-bye (presence offline) and end; ``run`` returns."""
        self._leaving = True
        self._ending.set()

    async def run(self) -> None:
        """Connected as long as the broker lets us, until :meth:`leave`."""
        failures = 0
        while not self._leaving:
            self._ending.clear()
            try:
                async with self._connected() as client:
                    failures = 0
                    await self._serve(client)
            except* _Ended:
                log.info("connection to broker ended")
            except* (aiomqtt.MqttError, OSError) as faults:
                failures += 1
                log.warning("broker away", why=str(faults.exceptions[0]), failures=failures)
            finally:
                self._tell(BusChanged(connected=False))
            if not self._ending.is_set():
                await self._pause(failures)
            self.reconnects += 1

    async def _pause(self, failures: int) -> None:
        """Jittered, so that a broker that returns is not met by the whole fleet at once."""
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 10))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(FIRST_PAUSE, longest)):  # noqa: S311
                await self._ending.wait()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiomqtt.Client]:
        will = self._will()
        client = client_of(self._broker, self._me.client_id, will, timeout=CONFIRM_WITHIN)
        async with client:
            yield client

    async def _serve(self, client: aiomqtt.Client) -> None:
        """One connection's tasks; the first that fails ends them all."""
        self._outbox.again()
        self._mailroom.connected()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_end(client), name="mqtt ending")
            group.create_task(self._receive(client), name="mqtt receiving")
            group.create_task(self._greet(client), name="mqtt greeting")
            await self._send(client, group)

    async def _greet(self, client: aiomqtt.Client) -> None:
        await client.subscribe([(topic, 1) for topic in self._me.subscriptions()])
        for topic, payload in self._presences(online=True):
            await client.publish(topic, payload, qos=1, retain=True)
        self._tell(BusChanged(connected=True))

    async def _send(self, client: aiomqtt.Client, group: asyncio.TaskGroup) -> None:
        while True:
            for letter in await self._outbox.take():
                name = f"mqtt letter {letter.number}"
                group.create_task(self._deliver(client, letter), name=name)

    async def _deliver(self, client: aiomqtt.Client, letter: Letter) -> None:
        await client.publish(letter.topic, letter.payload, qos=1, retain=letter.retain)
        self._outbox.confirm(letter)

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic, payload = message.topic.value, message.payload
            self._mailroom.receive(topic, payload, retained=message.retain)

    async def _watch_end(self, client: aiomqtt.Client) -> None:
        await self._ending.wait()
        if self._leaving:
            for topic, payload in self._presences(online=False, leaving=True):
                await client.publish(topic, payload, qos=1, retain=True)
        raise _Ended

    def _presences(self, *, online: bool, leaving: bool = False) -> list[tuple[str, bytes]]:
        payload = encode(self._presence(online=online, leaving=leaving))
        topics = [self._me.topic(Channel.PRESENCE)]
        if self._me.nameserver is not None:
            topics.append(self._me.nameserver_topic(Channel.PRESENCE))
        return [(topic, payload) for topic in topics]

    def _presence(self, *, online: bool, leaving: bool = False) -> Presence:
        me = self._me
        return Presence(
            online=online,
            leaving=leaving,
            instance=me.instance,
            since=me.since,
            roles=me.roles,
        )

    def _will(self) -> aiomqtt.Will:
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.WillDelayInterval = 0
        payload = encode(self._presence(online=False))
        topic = self._me.topic(Channel.PRESENCE)
        return aiomqtt.Will(topic, payload, qos=1, retain=True, properties=properties)


def _family_of(host: str) -> Family | None:
    """The family the broker is reached by; not known of a name."""
    try:
        return family(str(address(host)))
    except PrefixError:
        return None
