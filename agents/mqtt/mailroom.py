"""Who this client is on the broker, and what a message that came in means.

Bad payloads are counted by topic and flaw, logged once for each, and dropped. One on the order
topic is passed on as unreadable, because every order gets a receipt; an empty one means that the
broker forgot a retained order, and silence changes nothing (I8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import structlog

from agents.advertising.observations import Observation, OrderArrived, OrderUnreadable
from agents.mqtt.beats import Beats
from ambicast.contract.codec import ContractError, Flaw, Received, Stamp, decode
from ambicast.contract.messages import ClientMap, ControllerPresence, Order, Steering
from ambicast.contract.tally import ELSEWHERE, Tally, worth_telling
from ambicast.contract.topics import (
    Channel,
    FromController,
    OfHost,
    OfNameserver,
    Topic,
    parse,
    spell,
)
from ambicast.model.identifiers import HostName, NameserverName, PopName

# Reasons carry text of the sender's choice: do not remember without end.
MOST_REASONS = 100

Tell = Callable[[Observation], None]
Hear = Callable[[Stamp, Steering | ClientMap], None]

log = structlog.get_logger()


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """This agent among the others; ``since`` in seconds since the Unix epoch."""

    fleet: str
    pop: PopName
    host: HostName
    roles: tuple[str, ...]
    instance: str
    since: float
    nameserver: NameserverName | None = None

    @property
    def client_id(self) -> str:
        """The same at every connect, so that a new connection ends the old one at once."""
        return f"ambicast-{self.fleet}-{self.pop}-{self.host}"

    def topic(self, channel: Channel) -> str:
        """One of this host's topics."""
        return spell(self.fleet, OfHost(self.pop, self.host, channel))

    def nameserver_topic(self, channel: Channel) -> str:
        """One of this host's nameserver's topics."""
        if self.nameserver is None:
            raise ValueError(f"host {self.host} has no nameserver")
        return spell(self.fleet, OfNameserver(self.nameserver, channel))

    def subscriptions(self) -> list[str]:
        """The topics whose messages are for this host."""
        topics = [spell(self.fleet, FromController()), self.topic(Channel.ORDER)]
        if self.nameserver is not None:
            topics += [self.nameserver_topic(each) for each in (Channel.STEERING, Channel.MAP)]
        return topics


class Mailroom:
    """Gives every message that came in to whom it concerns."""

    def __init__(self, me: Identity, tell: Tell, hear: Hear | None) -> None:
        self._me, self._tell, self._hear = me, tell, hear
        self._mine = frozenset(me.subscriptions())
        self._beats = Beats()
        self.dropped: Counter[str] = Counter()
        self.tally = Tally()

    def connected(self) -> None:
        """A new connection: retained messages come first."""
        self._beats.connected()

    def receive(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """One message; never raises for what is in it."""
        place = parse(self._me.fleet, topic) if topic in self._mine else None
        if not payload:
            log.info("retained message cleared", topic=topic)
            return
        is_order = isinstance(place, OfHost)
        try:
            received = decode(payload)
            self._deliver(place, received, retained=retained)
        except ContractError as fault:
            self._drop(topic if place else ELSEWHERE, fault)
            if is_order:
                self._tell(OrderUnreadable(str(fault)))

    def _deliver(self, place: Topic | None, received: Received, *, retained: bool) -> None:
        """Raises :class:`ContractError` where place and message do not belong together."""
        match place, received.body:
            case OfHost(), Order() as order:
                self._tell(OrderArrived(received.stamp, order))
            case OfNameserver(_, Channel.STEERING), Steering() as body if self._hear:
                self._hear(received.stamp, body)
            case OfNameserver(_, Channel.MAP), ClientMap() as client_map if self._hear:
                self._hear(received.stamp, client_map)
            case FromController(), ControllerPresence() as presence:
                seen = self._beats.hear(received.stamp.epoch, presence, retained=retained)
                if seen is not None:
                    self._tell(seen)
            case _:
                kind = received.body.__struct_config__.tag
                raise ContractError(f"type {kind!r} does not belong here", Flaw.MISPLACED)

    def _drop(self, topic: str, fault: ContractError) -> None:
        why = str(fault)
        known = why in self.dropped or len(self.dropped) < MOST_REASONS
        self.dropped[why if known else "other reasons"] += 1
        count = self.tally.note(topic, fault.flaw)
        if worth_telling(count):
            log.warning("message dropped", topic=topic, flaw=fault.flaw, why=why, so_far=count)
