"""Watchers and responders joined by wires of memory, in virtual time.

Every host has a watcher, and a responder that answers at ``PORT``. A ``frozen`` host's watcher
does nothing, while what is sent to it waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict, deque

from agents.watch.answers import Answers
from agents.watch.datagrams import PORT, Fault, Kind, seal, unseal
from agents.watch.watcher import Watcher
from agents.watch.wires import Datagram, from_address
from ambicast.model.identifiers import Role
from ambicast.model.prefixes import family
from tests.agents_watch.fleets import fleet_of

KEY = b"k" * 32
OWN_PORT = 50000


class Ether:
    """Carries datagrams; hosts, PoPs and addresses in ``cut`` are silent.

    ``weather(origin, target)`` gives a datagram's delay, or ``None`` where it is lost; without
    one, everything arrives at once.
    """

    def __init__(self, answers, keys):
        self.answers, self.keys = answers, keys
        self.home = {}
        self.pop_of = {}
        self.inbox = defaultdict(deque)
        self.cut = set()
        self.terminated = {}
        self.seen = []
        self.weather = None
        self.sources = {}
        self.refused = Counter()

    def carry(self, sender, payload, peer, source):
        origin = self.sources[source[0]]
        self.seen.append((origin, peer[0], payload))
        host = self.terminated.get(peer[0]) or self.home.get(peer[0])
        if host is None or self.cut & {sender, host, self.pop_of[sender], self.pop_of[host]}:
            return
        if self.cut & {origin, peer[0]}:
            return
        if self.weather is None:
            self._deliver(host, payload, peer, origin)
            return
        delay = self.weather(origin, peer[0])
        if delay is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(delay, self._deliver, host, payload, peer, origin)

    def _deliver(self, host, payload, peer, origin):
        if peer[1] == PORT:
            self._answer(host, payload, peer[0], origin)
        else:
            asked = from_address(peer[0])
            self.inbox[host, family(peer[0])].append(Datagram(payload, (origin, PORT), asked))

    def _answer(self, host, payload, asked, origin):
        opened = unseal(payload, self.keys[host])
        if isinstance(opened, Fault):
            self.refused[host] += 1
            return
        body = self.answers[host].body(asyncio.get_running_loop().time())
        reply = seal(Kind.REPLY, opened.nonce, body, self.keys[host])
        self.sources[from_address(asked)[0]] = asked
        self.carry(host, reply, (origin, OWN_PORT), from_address(asked))


class MemoryWire:
    """What a watcher takes for a socket."""

    def __init__(self, ether, host, kind):
        self.ether, self.host, self.kind = ether, host, kind

    def send(self, payload, peer, source):
        self.ether.carry(self.host, payload, peer, source)
        return True

    def receive(self):
        inbox = self.ether.inbox[self.host, self.kind]
        return inbox.popleft() if inbox else None

    def close(self):
        pass


class Stage:
    """A fleet's hosts, each with a watcher and a responder."""

    def __init__(self, names=("ams", "fra", "lhr"), keys=None, fleet=None):
        self.fleet = fleet or fleet_of(names)
        self.told = defaultdict(list)
        self.watchers, self.frozen = {}, set()
        hosts = {h: p for p in self.fleet.pops.values() for h in p.hosts_with(Role.BGP)}
        keys = {host: (keys or {}).get(pop.name, KEY) for host, pop in hosts.items()}
        answers = {host: Answers(pop.name, host) for host, pop in hosts.items()}
        self.ether = Ether(answers, keys)
        for host, pop in hosts.items():
            self.ether.pop_of[host] = pop.name
            for uplink in pop.at(host).uplinks.values():
                for text in uplink.identity.values():
                    self.ether.home[text] = host
                    self.ether.sources[from_address(text)[0]] = text
        for host, pop in hosts.items():
            self.start(host, pop, f"run-{host}")

    def start(self, host, pop, instance):
        """A (new) agent's watcher on ``host``."""
        self.watchers[host] = watcher = Watcher(
            self.fleet,
            pop.at(host),
            host,
            self.ether.keys[host],
            instance,
            self._teller(host),
            speak=self._speaker(host),
            wire=lambda kind: MemoryWire(self.ether, host, kind),
        )
        tick = watcher._tick
        watcher._tick = lambda loop: None if host in self.frozen else tick(loop)

    def _speaker(self, host):
        def speak(word):
            now = asyncio.get_running_loop().time()
            assert self.ether.answers[host].hear(word, now) is None

        return speak

    def _teller(self, host):
        def tell(watched):
            self.told[host].append((asyncio.get_running_loop().time(), watched))

        return tell

    def last(self, host):
        return self.told[host][-1][1]

    def up(self, host):
        """PoP -> whether any path to it is up, as ``host`` sees it."""
        found = {}
        for each in self.last(host).seen:
            found[each.pop] = found.get(each.pop, False) or each.up
        return found

    @contextlib.asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as tasks:
            all_ = [tasks.create_task(each.run()) for each in self.watchers.values()]
            await asyncio.sleep(1)
            yield self
            for task in all_:
                task.cancel()
