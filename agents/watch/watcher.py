"""The watcher: asks, answers, listens, judges; tells what it sees as soon as it changes.

One timer of 20 ms does what is regular: it empties the sockets first, so that replies that waited
for a busy loop count before silence is judged; then it judges; then it sends what is due.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog
from msgspec.structs import replace

from agents.advertising.observations import Watched
from agents.watch import datagrams
from agents.watch.datagrams import PORT, Fault, Kind, Sealed, Word
from agents.watch.outstanding import Outstanding
from agents.watch.rounds import Rounds
from agents.watch.sighting import Sight
from agents.watch.targets import Ask, asks
from agents.watch.telling import told
from agents.watch.wires import Datagram, Source, Wire, from_address, open_wires
from agents.watch.witnesses import ASK_EVERY, Witnesses
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.pops import Pop
from ambicast.model.prefixes import family, witness

TICK = 0.02
TELL_EVERY = 1.0
RETRY = 1.0
# Datagrams read per family and wake-up: a flood must not starve the rest of the agent.
AT_ONCE = 500

Tell = Callable[[Watched], None]
Wires = Mapping[Family, Wire]

log = structlog.get_logger()


class Watcher:
    """Watches the other PoPs from one host, and answers those who watch it."""

    def __init__(
        self,
        fleet: Fleet,
        pop: Pop,
        host: HostName,
        key: bytes,
        instance: str,
        tell: Tell,
        *,
        wires: Callable[[tuple[Family, ...]], Wires] = open_wires,
    ) -> None:
        self._pop = pop
        self._key = key
        self._tell = tell
        self._open = wires
        self._asks = asks(fleet, pop)
        timing = fleet.timing
        self._sight = Sight(
            (each.path for each in self._asks),
            (each.exit for each in self._asks),
            timing.watch_interval,
            timing.watch_misses,
        )
        self._witnesses = Witnesses(pop.name)
        self._rounds = Rounds(timing.watch_interval)
        self._witness_rounds = Rounds(ASK_EVERY)
        self._outstanding = Outstanding()
        self._prepared = [_Prepared(each, pop.name, host) for each in self._asks]
        self._sources = _identities(pop)
        self._witness_turn = 0
        self._word = Word(pop.name, host, instance)
        self._answer = datagrams.say(self._word)
        self._words: dict[PopName, tuple[bytes, Word]] = {}
        self._wires: Wires = {}
        self._told_at = float("-inf")
        self._wall = 0.0
        self.dropped: Counter[str] = Counter()

    def observe(self, prefixes: frozenset[str]) -> None:
        """The whole set of steered prefixes whose witness addresses shall be asked."""
        self._witnesses.observe(prefixes)

    def declare(self, fit: frozenset[str]) -> None:
        """The services that are fit here, for our replies; they carry our sightings anyway."""
        self._say(replace(self._word, fit=tuple(sorted(fit))))

    def words(self) -> Mapping[PopName, Word]:
        """What each other PoP said of itself in its last reply."""
        return {pop: word for pop, (_, word) in self._words.items()}

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        self._wires = await self._open_patiently()
        self._wall = datetime.now(tz=UTC).timestamp() - loop.time()
        for wire in self._wires.values():
            loop.add_reader(wire.fileno(), self._drain, wire, loop)
        try:
            while True:
                self._tick(loop)
                await asyncio.sleep(TICK)
        finally:
            for wire in self._wires.values():
                loop.remove_reader(wire.fileno())
                wire.close()

    async def _open_patiently(self) -> Wires:
        families = tuple(kind for kind in Family if kind in self._sources)
        while True:
            try:
                return self._open(families)
            except OSError as fault:
                log.error("watch port not open", port=PORT, reason=str(fault))
                await asyncio.sleep(RETRY)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        for wire in self._wires.values():
            self._drain(wire, loop)
        now = loop.time()
        self._outstanding.forget(now)
        changed = self._sight.judge(now)
        changed = self._witnesses.judge(now) or changed
        if changed or now - self._told_at >= TELL_EVERY:
            self._tell_now(now)
        for turn in self._rounds.due(len(self._prepared), now):
            self._probe(self._prepared[turn], now)
        to_ask = self._witnesses.to_ask(now)
        for turn in self._witness_rounds.due(len(to_ask), now):
            self._probe_witness(to_ask[turn], now)

    def _probe(self, what: _Prepared, now: float) -> None:
        nonce = os.urandom(datagrams.NONCE)
        payload = datagrams.seal(Kind.PROBE, nonce, what.body, self._key)
        if self._wires[what.ask.path.family].send(payload, what.peer, what.source):
            self._outstanding.add(nonce, what.ask, now)

    def _probe_witness(self, prefix: str, now: float) -> None:
        sources = self._sources.get(family(prefix))
        if not sources:
            return
        self._witness_turn += 1
        source = sources[self._witness_turn % len(sources)]
        nonce = os.urandom(datagrams.NONCE)
        body = datagrams.ask(self._word.pop, self._word.host, prefix)
        payload = datagrams.seal(Kind.PROBE, nonce, body, self._key)
        peer = (witness(prefix), PORT)
        if self._wires[family(prefix)].send(payload, peer, source):
            self._outstanding.add(nonce, prefix, now)

    def _drain(self, wire: Wire, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for _ in range(AT_ONCE):
            datagram = wire.receive()
            if datagram is None:
                return
            self._take(wire, datagram, now)

    def _take(self, wire: Wire, datagram: Datagram, now: float) -> None:
        opened = datagrams.unseal(datagram.payload, self._key)
        if isinstance(opened, Fault):
            self._drop(opened, datagram)
        elif opened.kind == Kind.PROBE:
            reply = datagrams.seal(Kind.REPLY, opened.nonce, self._answer, self._key)
            wire.send(reply, datagram.peer, datagram.asked)
        elif opened.kind == Kind.REPLY:
            self._take_reply(opened, datagram, now)
        else:
            self._drop(Fault.MALFORMED, datagram)

    def _take_reply(self, reply: Sealed, datagram: Datagram, now: float) -> None:
        question = self._outstanding.take(reply.nonce)
        word = self._understand(reply.body)
        if question is None:
            self._drop("not asked", datagram)
        elif isinstance(word, Fault):
            self._drop(word, datagram)
        elif isinstance(question, str):
            self._witnesses.hear(question, word.pop, now)
        elif word.pop == question.path.pop and datagram.peer[0] == question.target:
            self._words[question.path.pop] = (reply.body, word)
            self._sight.hear(question.path, question.exit, now)
        else:
            self._drop("another answered", datagram)

    def _understand(self, body: bytes) -> Word | Fault:
        """The word in ``body``; most say what they said before, and are not decoded again."""
        for known, word in self._words.values():
            if known == body:
                return word
        return datagrams.read_word(body)

    def _drop(self, why: str, datagram: Datagram) -> None:
        self.dropped[str(why)] += 1
        if self.dropped[str(why)] == 1:
            log.warning("watch datagram dropped", reason=str(why), peer=datagram.peer[0])

    def _tell_now(self, now: float) -> None:
        self._told_at = now
        watched = told(
            self._sight.judgement(), self._witnesses.leading(), self._pop.uplinks, self._wall
        )
        self._say(replace(self._word, seen=datagrams.in_bits(watched.seen)))
        self._tell(watched)

    def _say(self, word: Word) -> None:
        if word != self._word:
            self._word = word
            self._answer = datagrams.say(word)


class _Prepared:
    """All of a probe but its nonce and tag."""

    def __init__(self, what: Ask, pop: PopName, host: HostName) -> None:
        self.ask = what
        self.peer = (what.target, PORT)
        self.source = from_address(what.source)
        self.body = datagrams.ask(pop, host, "/".join(what.path))


def _identities(pop: Pop) -> Mapping[Family, tuple[Source, ...]]:
    """The own identity addresses per family, as sources of datagrams."""
    found: dict[Family, tuple[Source, ...]] = {}
    for _, uplink in sorted(pop.uplinks.items()):
        for kind, text in uplink.identity.items():
            found[kind] = (*found.get(kind, ()), from_address(text))
    return found
