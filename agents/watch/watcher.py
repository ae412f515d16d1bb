"""The watcher: asks, listens, judges; tells what it sees as soon as it changes.

One timer of 10 ms does everything: it empties the sockets first, so that replies that waited for
a busy loop count before silence is judged; then it judges; then it sends what is due. The loop is
not woken for every reply: there are some hundred per second, and nothing is done in a hurry that
takes 300 ms to judge.

It answers nobody: that is the responder's (:mod:`agents.watch.responder`), which is told our own
word when it changes, and every ``SAY_EVERY`` seconds, as a sign of life.

The rest of the agent is told when a path or an exit turned, a witness answered for another PoP or
another host's word changed its meaning, and every ``TELL_EVERY`` seconds in any case: what it
holds of ``Told.heard`` is never more than 0.3 s behind. A reply by itself is nothing to tell.
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
from agents.watch.datagrams import PORT, Fault, Kind, Sealed
from agents.watch.hearsay import Hearsay
from agents.watch.losses import Losses
from agents.watch.outstanding import Outstanding
from agents.watch.rounds import Rounds
from agents.watch.shorthand import Shorthand
from agents.watch.sighting import Sight
from agents.watch.sockets import Open, Sockets
from agents.watch.targets import Ask, asks
from agents.watch.telling import Teller, exits_that_work
from agents.watch.wires import Datagram, Source, Wire, from_address
from agents.watch.witnesses import ASK_EVERY, Witnesses
from agents.watch.words import Word, say
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName, Role
from ambicast.model.pops import Pop
from ambicast.model.prefixes import PrefixError, family, witness

TICK = 0.01
TELL_EVERY = 0.25
SAY_EVERY = 0.25
# Datagrams read per family and look: a flood must not starve the rest of the agent.
AT_ONCE = 500
_NEVER = float("-inf")

Tell = Callable[[Watched], None]
Say = Callable[[bytes], None]

log = structlog.get_logger()


class Watcher:
    """Watches the other PoPs, and the other hosts of the own one, from one host."""

    def __init__(
        self,
        fleet: Fleet,
        pop: Pop,
        host: HostName,
        key: bytes,
        instance: str,
        tell: Tell,
        *,
        speak: Say,
        wire: Open = Wire,
    ) -> None:
        """A watcher that is not running yet.

        Args:
            fleet: whom to watch, and how often.
            pop: the own PoP, its uplinks as ``host`` reaches them.
            host: this host.
            key: what every datagram is sealed with.
            instance: which run of the agent this is.
            tell: takes what is seen.
            speak: takes our word for the responder.
            wire: opens the socket of a family.
        """
        self._pop = pop
        self._key = key
        self._tell = tell
        self._speak = speak
        wanted = asks(fleet, pop, host)
        timing = fleet.timing
        self._sight = Sight(
            (each.path for each in wanted),
            (each.judged for each in wanted if each.judged),
            timing.watch_interval,
            timing.watch_misses,
        )
        self._losses = Losses(wanted)
        self._shorthand = Shorthand(fleet, pop.name)
        self._hearsay = Hearsay(self._shorthand)
        self._crowded = {n for n, p in fleet.pops.items() if len(p.hosts_with(Role.BGP)) > 1}
        self._teller = Teller(pop.uplinks, 0.0)
        self._witnesses = Witnesses(pop.name)
        self._rounds = Rounds(timing.watch_interval)
        self._witness_rounds = Rounds(ASK_EVERY)
        self._outstanding: Outstanding[_Probe | str] = Outstanding()
        self._probes = [_Probe(each, pop.name, host, self._losses.place(each)) for each in wanted]
        self._sources = _identities(pop)
        self._sockets = Sockets((each for each in Family if each in self._sources), wire)
        self._witness_turn = 0
        self._word = Word(pop.name, host, instance)
        self._said: Word | None = None
        self._told_at = self._said_at = _NEVER
        self.dropped: Counter[str] = Counter()

    def observe(self, prefixes: frozenset[str]) -> None:
        """The whole set of steered prefixes whose witness addresses shall be asked."""
        self._witnesses.observe(prefixes)

    def declare(
        self,
        fit: frozenset[str],
        offers: frozenset[str] = frozenset(),
        keeps: frozenset[str] = frozenset(),
    ) -> None:
        """What our word says from now on; our sightings it carries anyway.

        Args:
            fit: the services that are fit here without doubt.
            offers: shared prefixes that we keep, and want somebody else to keep.
            keeps: shared prefixes that we keep.
        """
        lists = (tuple(sorted(each)) for each in (fit, offers, keeps))
        fields = dict(zip(("fit", "offers", "keeps"), lists, strict=True))
        self._word = replace(self._word, **fields)

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        wall = datetime.now(tz=UTC).timestamp() - loop.time()
        self._teller = Teller(self._pop.uplinks, wall)
        try:
            while True:
                self._tick(loop)
                await asyncio.sleep(TICK)
        finally:
            self._sockets.close()

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        for wire in self._sockets(loop.time()):
            self._drain(wire, loop.time())
        now = loop.time()
        self._outstanding.forget(now)
        changed = self._sight.judge(now)
        changed = self._witnesses.judge(now) or changed
        changed = self._hearsay.judge() or changed
        if changed or now - self._told_at >= TELL_EVERY:
            self._tell_now(now)
        if self._word != self._said or now - self._said_at >= SAY_EVERY:
            self._said, self._said_at = self._word, now
            self._speak(say(self._word))
        for turn in self._rounds.due(len(self._probes), now):
            self._probe(self._probes[turn], now)
        to_ask = self._witnesses.to_ask(now)
        for turn in self._witness_rounds.due(len(to_ask), now):
            self._probe_witness(to_ask[turn], now)

    def _probe(self, what: _Probe, now: float) -> None:
        wire = self._sockets.of(what.path.family)
        if wire is None:
            return
        nonce = os.urandom(datagrams.NONCE)
        payload = datagrams.seal(Kind.PROBE, nonce, what.body, self._key)
        if wire.send(payload, what.peer, what.source):
            self._outstanding.add(nonce, what, now)
        self._losses.sent(what.place, now)

    def _probe_witness(self, prefix: str, now: float) -> None:
        sources, wire = self._sources.get(family(prefix)), self._sockets.of(family(prefix))
        if not sources or wire is None:
            return
        self._witness_turn += 1
        source = sources[self._witness_turn % len(sources)]
        nonce = os.urandom(datagrams.NONCE)
        body = datagrams.ask(self._word.pop, self._word.host, prefix)
        payload = datagrams.seal(Kind.PROBE, nonce, body, self._key)
        try:
            peer = (witness(prefix), PORT)
        except PrefixError:
            return  # an order that was kept by an earlier release may name such a prefix
        if wire.send(payload, peer, source):
            self._outstanding.add(nonce, prefix, now)

    def _drain(self, wire: Wire, now: float) -> None:
        for _ in range(AT_ONCE):
            datagram = wire.receive()
            if datagram is None:
                return
            self._take(datagram, now)

    def _take(self, datagram: Datagram, now: float) -> None:
        opened = datagrams.unseal(datagram.payload, self._key)
        if isinstance(opened, Fault):
            self._drop(opened, datagram)
        elif opened.kind == Kind.REPLY:
            self._take_reply(opened, datagram, now)
        else:
            self._drop(Fault.MALFORMED, datagram)

    def _take_reply(self, reply: Sealed, datagram: Datagram, now: float) -> None:
        taken = self._outstanding.take(reply.nonce)
        word = self._hearsay.understand(reply.body)
        if taken is None:
            self._drop("not asked", datagram)
            return
        asked, question = taken
        if isinstance(word, Fault):
            self._drop(word, datagram)
        elif isinstance(question, str):
            self._witnesses.hear(question, word.pop, now)
        elif self._is_from(question, word, datagram):
            path = question.path
            self._hearsay.hear(path.pop, path.host, word, now, now - asked)
            self._sight.hear(path, question.judged, now)
            self._losses.answered(question.place, asked, now)
        else:
            self._drop("another answered", datagram)

    def _is_from(self, question: _Probe, word: Word, datagram: Datagram) -> bool:
        """Whether the host that was asked answered; a PoP with one host may have renamed it."""
        path = question.path
        if word.pop != path.pop or datagram.peer[0] != question.peer[0]:
            return False
        return word.host == path.host or path.pop not in self._crowded

    def _drop(self, why: str, datagram: Datagram) -> None:
        self.dropped[str(why)] += 1
        if self.dropped[str(why)] == 1:
            log.warning("watch datagram dropped", reason=str(why), peer=datagram.peer[0])

    def _tell_now(self, now: float) -> None:
        self._told_at = now
        judgement = self._sight.judgement()
        seen = self._teller.seen(judgement)
        short = self._shorthand.write(seen)
        self._word = replace(self._word, seen=short.seen, beside=short.beside)
        self._tell(
            Watched(
                seen=seen,
                witnesses=dict(self._witnesses.leading()),
                working=self._teller.working(judgement),
                paused=judgement.paused,
                told=self._hearsay.told(),
                loss=self._losses.shares(now, exits_that_work(judgement)),
            )
        )


class _Probe:
    """One ask, with all of its datagram but nonce and tag, and where its loss is counted."""

    def __init__(self, what: Ask, pop: PopName, host: HostName, place: int | None) -> None:
        self.path = what.path
        self.judged = what.judged
        self.peer = (what.target, PORT)
        self.source = from_address(what.source)
        self.body = datagrams.ask(pop, host, "/".join(what.path))
        self.place = place


def _identities(pop: Pop) -> Mapping[Family, tuple[Source, ...]]:
    """The own identity addresses per family, as sources of datagrams."""
    found: dict[Family, tuple[Source, ...]] = {}
    for _, uplink in sorted(pop.uplinks.items()):
        for kind, text in uplink.identity.items():
            found[kind] = (*found.get(kind, ()), from_address(text))
    return found
