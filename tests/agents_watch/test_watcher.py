"""Two and three watchers joined by wires of memory, in virtual time."""

import asyncio
import itertools

import pytest
import structlog

from agents.watch.datagrams import PORT, Kind, seal
from agents.watch.wires import Datagram, from_address
from agents.watch.words import read_word
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import witness
from tests.agents_watch.ether import KEY, MemoryWire, Stage

pytestmark = pytest.mark.looptime(start=1000)


async def test_everybody_sees_everybody_over_every_uplink_and_family():
    async with Stage().running() as stage:
        assert len(stage.last("ams-1").seen) == 2 * 2 * 2
        assert all(each.up for each in stage.last("ams-1").seen)
        both = {Family.V4: True, Family.V6: True}
        assert stage.last("ams-1").working == {"north": both, "south": both}


async def test_a_silent_pop_is_told_within_330_ms_and_nobody_else_is_suspected():
    async with Stage().running() as stage:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.0137)
        fault = loop.time()
        stage.ether.cut.add("fra")
        await asyncio.sleep(0.33)
        assert stage.up("ams-1") == {"fra": False, "lhr": True}
        turned = [at for at, w in stage.told["ams-1"] if not all(s.up for s in w.seen)]
        assert turned[0] - fault >= 0.25
        assert all(works[Family.V4] for works in stage.last("ams-1").working.values())
        stage.ether.cut.clear()
        await asyncio.sleep(0.15)
        assert stage.up("ams-1") == {"fra": True, "lhr": True}


async def test_a_silent_own_uplink_is_told_and_no_pop_is_suspected():
    async with Stage().running() as stage:
        north = stage.fleet.pops["ams"].uplinks["north"].identity
        stage.ether.cut |= set(north.values())
        await asyncio.sleep(0.35)
        down = {Family.V4: False, Family.V6: False}
        assert stage.last("ams-1").working == {
            "north": down,
            "south": {Family.V4: True, Family.V6: True},
        }
        assert all(each.up for each in stage.last("ams-1").seen)
        seen = {each.uplink: each.up for each in stage.last("fra-1").seen if each.pop == "ams"}
        assert seen == {"north": False, "south": True}


async def test_without_change_it_is_told_four_times_a_second_so_that_words_stay_fresh():
    async with Stage().running() as stage:
        stage.told.clear()
        await asyncio.sleep(5)
        told = stage.told["ams-1"]
        assert 18 <= len(told) <= 20
        assert all(at - told.heard < 0.1 for at, w in told for told in w.told.values())
        assert all(0 < later - at < 0.3 for (at, _), (later, _) in itertools.pairwise(told))


async def test_with_nobody_to_ask_nothing_is_known_of_the_uplinks():
    async with Stage(["ams"]).running() as stage:
        assert stage.last("ams-1").working == {"north": {}, "south": {}}


async def test_replies_carry_fit_services_instance_and_the_repliers_own_sightings():
    async with Stage().running() as stage:
        stage.watchers["fra-1"].declare(frozenset({"www"}))
        await asyncio.sleep(0.2)
        word = stage.last("ams-1").told["fra-1"]
        assert (word.pop, word.host, word.instance) == ("fra", "fra-1", "run-fra-1")
        assert word.fit == {"www"}
        paths = {(s.pop, s.host, s.uplink, s.family) for s in word.seen if s.up}
        others = [("ams", "ams-1"), ("lhr", "lhr-1")]
        assert paths == {(*o, u, f) for o in others for u in ("north", "south") for f in Family}


async def test_a_host_with_another_key_is_neither_believed_nor_answered():
    async with Stage(keys={"fra": b"x" * 32}).running() as stage:
        assert stage.up("ams-1") == {"fra": False, "lhr": True}
        assert stage.up("fra-1") == {"ams": False, "lhr": False}
        assert stage.ether.refused["fra-1"] > 0


async def test_a_reply_sealed_with_another_key_is_not_believed():
    async with Stage().running() as stage:
        target = stage.fleet.pops["ams"].uplinks["north"].identity[Family.V4]
        forged = seal(Kind.REPLY, b"8 bytes!", b"", b"x" * 32)
        inbox = stage.ether.inbox["ams-1", Family.V4]
        inbox.append(Datagram(forged, ("10.2.1.2", PORT), from_address(target)))
        await asyncio.sleep(0.1)
        assert stage.watchers["ams-1"].dropped == {"wrong tag": 1}


async def test_yesterdays_replies_keep_no_dead_pop_alive():
    async with Stage().running() as stage:
        target = stage.fleet.pops["ams"].uplinks["north"].identity[Family.V4]
        recorded = [each for each in stage.ether.seen if each[1] == target]
        stage.ether.cut.add("fra")
        inbox = stage.ether.inbox["ams-1", Family.V4]
        for _ in range(20):
            for origin, to, payload in recorded:
                if stage.ether.home[origin] == "fra-1":
                    inbox.append(Datagram(payload, (origin, PORT), from_address(to)))
            await asyncio.sleep(0.02)
        assert stage.up("ams-1") == {"fra": False, "lhr": True}
        assert stage.watchers["ams-1"].dropped["not asked"] > 0


async def test_another_pop_at_an_identity_address_proves_nothing():
    async with Stage().running() as stage:
        for uplink in stage.fleet.pops["fra"].uplinks.values():
            stage.ether.home |= dict.fromkeys(uplink.identity.values(), "lhr-1")
        await asyncio.sleep(0.5)
        assert stage.up("ams-1")["fra"] is False
        assert stage.watchers["ams-1"].dropped["another answered"] > 0


async def test_unknown_kinds_are_counted_and_dropped():
    async with Stage().running() as stage:
        odd = Datagram(seal(9, b"8 bytes!", b"", KEY), ("10.9.9.9", 1), from_address("10.1.1.2"))
        stage.ether.inbox["ams-1", Family.V4].append(odd)
        await asyncio.sleep(0.1)
        assert stage.watchers["ams-1"].dropped == {"malformed": 1}


async def test_a_witness_names_the_pop_that_a_prefix_leads_to_now():
    async with Stage().running() as stage:
        prefix = "198.18.8.0/23"
        stage.watchers["ams-1"].observe(frozenset({prefix}))
        await asyncio.sleep(0.5)
        assert stage.last("ams-1").witnesses == {prefix: ()}
        stage.ether.terminated[witness(prefix)] = "lhr-1"
        await asyncio.sleep(0.25)
        assert stage.last("ams-1").witnesses == {prefix: ("lhr",)}
        stage.ether.terminated[witness(prefix)] = "fra-1"
        await asyncio.sleep(1.25)
        assert stage.last("ams-1").witnesses == {prefix: ("fra",)}
        stage.ether.terminated.clear()
        await asyncio.sleep(1.1)
        assert stage.last("ams-1").witnesses == {prefix: ()}


async def test_a_prefix_that_leads_to_this_host_is_no_witness_and_hardly_asked():
    async with Stage().running() as stage:
        prefix = "198.18.8.0/23"
        stage.ether.terminated[witness(prefix)] = "ams-1"
        stage.watchers["ams-1"].observe(frozenset({prefix}))
        await asyncio.sleep(0.5)
        stage.ether.seen.clear()
        await asyncio.sleep(3)
        assert stage.last("ams-1").witnesses == {prefix: ()}
        assert sum(to == witness(prefix) for _, to, _ in stage.ether.seen) <= 4


async def test_witnesses_are_asked_through_every_own_uplink_in_turn():
    async with Stage().running() as stage:
        prefix = "198.18.8.0/23"
        stage.ether.terminated[witness(prefix)] = "lhr-1"
        stage.watchers["ams-1"].observe(frozenset({prefix}))
        stage.ether.cut.add(stage.fleet.pops["ams"].uplinks["north"].identity[Family.V4])
        await asyncio.sleep(3)
        assert stage.last("ams-1").witnesses == {prefix: ("lhr",)}
        since = len(stage.told["ams-1"])
        await asyncio.sleep(3)
        assert all(w.witnesses[prefix] == ("lhr",) for _, w in stage.told["ams-1"][since:])


class Refusing:
    """A kernel without one family, until ``lacks`` is emptied."""

    def __init__(self, stage, host, *lacks):
        self.lacks, self.tries = set(lacks), []
        sockets = stage.watchers[host]._sockets
        self.right, sockets._open = sockets._open, self

    def __call__(self, family):
        self.tries.append((family, asyncio.get_running_loop().time()))
        if family in self.lacks:
            raise OSError(97, "Address family not supported by protocol")
        return self.right(family)


async def test_a_socket_that_cannot_be_had_is_tried_again():
    stage = Stage()
    watcher, kernel = stage.watchers["ams-1"], Refusing(stage, "ams-1", *Family)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watcher.run())
        await asyncio.sleep(1.5)
        kernel.lacks.clear()
        await asyncio.sleep(1)
        assert [family for family, _ in kernel.tries] == 3 * list(Family)
        assert stage.told["ams-1"]
        task.cancel()


@pytest.mark.parametrize("missing", Family)
async def test_without_one_family_the_other_is_watched(missing):
    (there,) = set(Family) - {missing}
    stage = Stage()
    kernel = Refusing(stage, "ams-1", missing)
    stage.watchers["ams-1"].observe(frozenset({"198.18.0.0/22", "2001:db8:1000::/46"}))
    async with stage.running():
        await asyncio.sleep(2)
        seen = stage.last("ams-1")
        assert {each.family for each in seen.seen if each.up} == {there}
        assert seen.working["north"] == {there: True, missing: False}
        assert set(seen.told) == {"fra-1", "lhr-1"}
        kernel.lacks.clear()
        await asyncio.sleep(1.5)
        assert all(each.up for each in stage.last("ams-1").seen)


async def test_a_missing_family_is_said_once_and_its_return_too():
    stage = Stage()
    kernel = Refusing(stage, "ams-1", Family.V6)
    with structlog.testing.capture_logs() as said:
        async with stage.running():
            await asyncio.sleep(5)
            kernel.lacks.clear()
            await asyncio.sleep(2)
    events = [each["event"] for each in said if each.get("family") is Family.V6]
    assert events == ["not watching in a family", "watching in the family again"]


async def test_an_address_that_is_not_there_costs_its_own_probes_alone(monkeypatch):
    stage = Stage()
    gone = stage.fleet.pops["ams"].uplinks["north"].identity[Family.V6]
    send = MemoryWire.send
    monkeypatch.setattr(
        MemoryWire,
        "send",
        lambda wire, payload, peer, source: (
            source != from_address(gone) and send(wire, payload, peer, source)
        ),
    )
    async with stage.running():
        await asyncio.sleep(1)
        working = stage.last("ams-1").working
        assert working["north"] == {Family.V4: True, Family.V6: False}
        assert working["south"] == {Family.V4: True, Family.V6: True}
        assert all(each.up for each in stage.last("ams-1").seen)


async def test_a_word_with_a_new_meaning_is_told_at_once():
    async with Stage().running() as stage:
        loop = asyncio.get_running_loop()
        for change in (("www",), (), ("www",), ()):
            await asyncio.sleep(0.33)
            said = loop.time()
            stage.watchers["fra-1"].declare(frozenset(change))
            await asyncio.sleep(0.1)
            told = [
                at
                for at, w in stage.told["ams-1"]
                if at > said and w.told["fra-1"].fit == {*change}
            ]
            assert told[0] - said < 0.04


async def test_the_responder_hears_at_least_every_half_second_and_at_once_what_is_new():
    async with Stage().running() as stage:
        said = []
        stage.watchers["ams-1"]._speak = lambda word: said.append(
            (asyncio.get_running_loop().time(), read_word(word))
        )
        await asyncio.sleep(3)
        assert 10 <= len(said) <= 13
        assert all(0.2 < b - a < 0.5 for (a, _), (b, _) in itertools.pairwise(said))
        now = asyncio.get_running_loop().time()
        prefixes = frozenset({"198.19.254.0/23"})
        stage.watchers["ams-1"].declare(frozenset({"www"}), prefixes, frozenset())
        await asyncio.sleep(0.02)
        at, word = said[-1]
        assert at - now < 0.02
        assert (word.fit, word.offers, word.keeps) == (("www",), ("198.19.254.0/23",), ())
