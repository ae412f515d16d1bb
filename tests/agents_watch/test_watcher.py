"""Two and three watchers joined by wires of memory, in virtual time."""

import asyncio
import contextlib
import os
from collections import defaultdict, deque

import pytest

from agents.watch.datagrams import seal
from agents.watch.watcher import Watcher
from agents.watch.wires import Datagram, from_address
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import family, witness
from tests.agents_watch.fleets import fleet_of

pytestmark = pytest.mark.looptime(start=1000)

KEY = b"k" * 32


class Ether:
    """Delivers between memory wires; ``cut`` PoPs and ``cut`` addresses are silent."""

    def __init__(self):
        self.home = {}
        self.inbox = defaultdict(deque)
        self.cut = set()
        self.terminated = {}
        self.seen = []

    def carry(self, sender, payload, peer, source):
        pop = self.terminated.get(peer[0]) or self.home.get(peer[0])
        origin = next(text for text in self.known() if from_address(text) == source)
        self.seen.append((origin, peer[0], payload))
        if pop and not {sender, pop, origin, peer[0]} & self.cut:
            asked = from_address(peer[0])
            self.inbox[pop, family(peer[0])].append(Datagram(payload, (origin, peer[1]), asked))

    def known(self):
        return [*self.home, *self.terminated]


class MemoryWire:
    def __init__(self, ether, pop, kind):
        self.ether, self.pop, self.kind = ether, pop, kind
        self.descriptor = os.eventfd(0)

    def fileno(self):
        return self.descriptor

    def send(self, payload, peer, source):
        self.ether.carry(self.pop, payload, peer, source)
        return True

    def receive(self):
        inbox = self.ether.inbox[self.pop, self.kind]
        return inbox.popleft() if inbox else None

    def close(self):
        os.close(self.descriptor)


class Stage:
    def __init__(self, names=("ams", "fra", "lhr"), keys=None):
        self.fleet = fleet_of(names)
        self.ether = Ether()
        self.told = defaultdict(list)
        self.watchers = {}
        for name, pop in self.fleet.pops.items():
            for uplink in pop.uplinks.values():
                self.ether.home |= dict.fromkeys(uplink.identity.values(), name)
            key = (keys or {}).get(name, KEY)
            self.watchers[name] = Watcher(
                *(self.fleet, pop, f"{name}-1", key, f"run-{name}", self._teller(name)),
                wires=lambda families, pop=name: {
                    kind: MemoryWire(self.ether, pop, kind) for kind in families
                },
            )

    def _teller(self, name):
        def tell(watched):
            self.told[name].append((asyncio.get_running_loop().time(), watched))

        return tell

    def last(self, name):
        return self.told[name][-1][1]

    def up(self, name):
        """PoP -> whether any path to it is up, as ``name`` sees it."""
        found = {}
        for each in self.last(name).seen:
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


async def test_everybody_sees_everybody_over_every_uplink_and_family():
    async with Stage().running() as stage:
        assert len(stage.last("ams").seen) == 2 * 2 * 2
        assert all(each.up for each in stage.last("ams").seen)
        both = {Family.V4: True, Family.V6: True}
        assert stage.last("ams").working == {"north": both, "south": both}


async def test_a_silent_pop_is_told_within_330_ms_and_nobody_else_is_suspected():
    async with Stage().running() as stage:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.0137)
        fault = loop.time()
        stage.ether.cut.add("fra")
        await asyncio.sleep(0.33)
        assert stage.up("ams") == {"fra": False, "lhr": True}
        turned = [at for at, w in stage.told["ams"] if not all(s.up for s in w.seen)]
        assert turned[0] - fault >= 0.25
        assert all(works[Family.V4] for works in stage.last("ams").working.values())
        stage.ether.cut.clear()
        await asyncio.sleep(0.15)
        assert stage.up("ams") == {"fra": True, "lhr": True}


async def test_a_silent_own_uplink_is_told_and_no_pop_is_suspected():
    async with Stage().running() as stage:
        north = stage.fleet.pops["ams"].uplinks["north"].identity
        stage.ether.cut |= set(north.values())
        await asyncio.sleep(0.35)
        down = {Family.V4: False, Family.V6: False}
        assert stage.last("ams").working == {
            "north": down,
            "south": {Family.V4: True, Family.V6: True},
        }
        assert all(each.up for each in stage.last("ams").seen)
        seen = {each.uplink: each.up for each in stage.last("fra").seen if each.pop == "ams"}
        assert seen == {"north": False, "south": True}


async def test_without_change_it_is_told_once_a_second():
    async with Stage().running() as stage:
        stage.told.clear()
        await asyncio.sleep(5)
        assert 4 <= len(stage.told["ams"]) <= 5


async def test_with_nobody_to_ask_nothing_is_known_of_the_uplinks():
    async with Stage(["ams"]).running() as stage:
        assert stage.last("ams").working == {"north": {}, "south": {}}


async def test_replies_carry_fit_services_instance_and_the_repliers_own_sightings():
    async with Stage().running() as stage:
        stage.watchers["fra"].declare(frozenset({"www"}))
        await asyncio.sleep(0.2)
        word = stage.watchers["ams"].words()["fra"]
        assert (word.host, word.instance, word.fit) == ("fra-1", "run-fra", ("www",))
        assert word.seen == {"ams": {"north": 15, "south": 15}, "lhr": {"north": 15, "south": 15}}


async def test_a_host_with_another_key_is_neither_believed_nor_answered():
    async with Stage(keys={"fra": b"x" * 32}).running() as stage:
        assert stage.up("ams") == {"fra": False, "lhr": True}
        assert stage.up("fra") == {"ams": False, "lhr": False}
        assert stage.watchers["ams"].dropped["wrong tag"] > 0


async def test_yesterdays_replies_keep_no_dead_pop_alive():
    async with Stage().running() as stage:
        target = stage.fleet.pops["ams"].uplinks["north"].identity[Family.V4]
        recorded = [each for each in stage.ether.seen if each[1] == target]
        stage.ether.cut.add("fra")
        inbox = stage.ether.inbox["ams", Family.V4]
        for _ in range(20):
            for origin, to, payload in recorded:
                if stage.ether.home[origin] == "fra":
                    inbox.append(Datagram(payload, (origin, 4791), from_address(to)))
            await asyncio.sleep(0.02)
        assert stage.up("ams") == {"fra": False, "lhr": True}
        assert stage.watchers["ams"].dropped["not asked"] > 0


async def test_another_pop_at_an_identity_address_proves_nothing():
    async with Stage().running() as stage:
        for uplink in stage.fleet.pops["fra"].uplinks.values():
            stage.ether.home |= dict.fromkeys(uplink.identity.values(), "lhr")
        await asyncio.sleep(0.5)
        assert stage.up("ams")["fra"] is False
        assert stage.watchers["ams"].dropped["another answered"] > 0


async def test_unknown_kinds_are_counted_and_dropped():
    async with Stage().running() as stage:
        odd = Datagram(seal(9, b"8 bytes!", b"", KEY), ("10.9.9.9", 1), from_address("10.1.1.2"))
        stage.ether.inbox["ams", Family.V4].append(odd)
        await asyncio.sleep(0.1)
        assert stage.watchers["ams"].dropped == {"malformed": 1}


async def test_a_witness_names_the_pop_that_a_prefix_leads_to_now():
    async with Stage().running() as stage:
        prefix = "198.18.8.0/23"
        stage.watchers["ams"].observe(frozenset({prefix}))
        await asyncio.sleep(0.5)
        assert stage.last("ams").witnesses == {prefix: ()}
        stage.ether.terminated[witness(prefix)] = "lhr"
        await asyncio.sleep(0.25)
        assert stage.last("ams").witnesses == {prefix: ("lhr",)}
        stage.ether.terminated[witness(prefix)] = "fra"
        await asyncio.sleep(1.25)
        assert stage.last("ams").witnesses == {prefix: ("fra",)}
        stage.ether.terminated.clear()
        await asyncio.sleep(1.1)
        assert stage.last("ams").witnesses == {prefix: ()}


async def test_a_prefix_that_leads_to_this_host_is_no_witness_and_hardly_asked():
    async with Stage().running() as stage:
        prefix = "198.18.8.0/23"
        stage.ether.terminated[witness(prefix)] = "ams"
        stage.watchers["ams"].observe(frozenset({prefix}))
        await asyncio.sleep(0.5)
        stage.ether.seen.clear()
        await asyncio.sleep(3)
        assert stage.last("ams").witnesses == {prefix: ()}
        assert sum(to == witness(prefix) for _, to, _ in stage.ether.seen) <= 4


async def test_witnesses_are_asked_through_every_own_uplink_in_turn():
    async with Stage().running() as stage:
        prefix = "198.18.8.0/23"
        stage.ether.terminated[witness(prefix)] = "lhr"
        stage.watchers["ams"].observe(frozenset({prefix}))
        stage.ether.cut.add(stage.fleet.pops["ams"].uplinks["north"].identity[Family.V4])
        await asyncio.sleep(3)
        assert stage.last("ams").witnesses == {prefix: ("lhr",)}
        since = len(stage.told["ams"])
        await asyncio.sleep(3)
        assert all(w.witnesses[prefix] == ("lhr",) for _, w in stage.told["ams"][since:])


async def test_a_taken_port_is_tried_again():
    stage = Stage()
    watcher = stage.watchers["ams"]
    right = watcher._open
    tries = []

    def taken_at_first(families):
        tries.append(asyncio.get_running_loop().time())
        if len(tries) < 3:
            raise OSError(98, "Address already in use")
        return right(families)

    watcher._open = taken_at_first
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watcher.run())
        await asyncio.sleep(2.5)
        assert len(tries) == 3
        assert stage.told["ams"]
        task.cancel()
