"""Loss, jitter, gaps and pauses: what a detector of 300 ms must not take for a death.

Every datagram crosses four links each way, as in the lab, and each link loses and delays of its
own. Virtual time: minutes take seconds.
"""

import asyncio
import itertools
import random

import pytest

from ambicast.model.identifiers import Family
from tests.agents_watch.ether import Stage

pytestmark = pytest.mark.looptime(start=1000)

LINKS = 4


def weather(loss, jitter, seed=1):
    dice = random.Random(seed)

    def falls(_origin, _target):
        if any(dice.random() < loss for _ in range(LINKS)):
            return None
        return 0.01 + sum(dice.random() * jitter for _ in range(LINKS))

    return falls


def gone(watched, family=None):
    """PoPs no path to which is up (in one family)."""
    paths = [each for each in watched.seen if family in {None, each.family}]
    return {each.pop for each in paths} - {each.pop for each in paths if each.up}


async def settled(stage):
    """Told for a while; what was told in the beginning, before the weather, does not count."""
    await asyncio.sleep(1)
    for told in stage.told.values():
        told.clear()


async def test_two_percent_loss_and_30_ms_jitter_on_every_link_lose_nobody_in_any_family():
    """Three of twenty probes come to nothing; hours of it are in test_long_weather.py."""
    async with Stage().running() as stage:
        stage.ether.weather = weather(0.02, 0.03)
        await settled(stage)
        await asyncio.sleep(11)
        for told in stage.told.values():
            assert len(told) > 40
            for _, watched in told:
                assert not gone(watched)
                assert not gone(watched, Family.V4) | gone(watched, Family.V6)
                assert all(all(works.values()) for works in watched.working.values())
                assert not watched.paused
                assert all(said.voice for said in watched.told.values())
        for share in stage.last("ams-1").loss.values():
            assert share == pytest.approx(1 - 0.98 ** (2 * LINKS), abs=0.06)


async def test_words_stay_fresh_in_bad_weather_and_never_go_back():
    async with Stage().running() as stage:
        stage.ether.weather = weather(0.02, 0.03)
        await settled(stage)
        for number in range(20):
            stage.watchers["fra-1"].declare(frozenset({f"service-{number:02}"}))
            await asyncio.sleep(0.3)
        told = [(at, w.told["fra-1"]) for at, w in stage.told["ams-1"]]
        assert max(at - said.heard for at, said in told) < 0.5
        names = [name for _, said in told for name in said.fit]
        assert all(before <= after for before, after in itertools.pairwise(names))
        assert len(set(names)) == 20


async def test_a_gap_of_300_ms_on_one_link_loses_no_pop_and_no_family():
    async with Stage().running() as stage:
        await settled(stage)
        await asyncio.sleep(10)
        for uplink in ("north", "south"):
            lost = set(stage.fleet.pops["fra"].uplinks[uplink].identity.values())
            stage.ether.cut |= lost
            await asyncio.sleep(0.3)
            stage.ether.cut -= lost
            await asyncio.sleep(1)
        assert max(stage.last("fra-1").loss.values()) > 0.02
        for told in stage.told.values():
            for _, watched in told:
                assert not gone(watched, Family.V4) | gone(watched, Family.V6)
                assert max(watched.loss.values(), default=0) < 0.05


async def test_a_watcher_that_was_paused_for_two_seconds_judges_nothing():
    async with Stage().running() as stage:
        stage.ether.weather = weather(0.0, 0.005)
        await settled(stage)
        stage.frozen.add("ams-1")
        await asyncio.sleep(2)
        stage.frozen.clear()
        await asyncio.sleep(0.05)
        assert stage.last("ams-1").paused
        await asyncio.sleep(3)
        assert not stage.last("ams-1").paused
        for told in stage.told.values():
            for _, watched in told:
                assert not gone(watched)
                assert all(all(works.values()) for works in watched.working.values())
                assert max(watched.loss.values(), default=0) < 0.02


async def test_a_paused_watcher_that_comes_back_to_a_dead_pop_judges_it_after_a_whole_window():
    async with Stage().running() as stage:
        stage.frozen.add("ams-1")
        stage.ether.cut.add("fra")
        await asyncio.sleep(2)
        stage.frozen.clear()
        thawed = asyncio.get_running_loop().time()
        await asyncio.sleep(1)
        first = next(at for at, watched in stage.told["ams-1"] if gone(watched))
        assert 0.3 <= first - thawed < 0.34


async def test_a_frozen_agent_is_seen_as_up_and_without_voice():
    async with Stage().running() as stage:
        stage.watchers["fra-1"].declare(frozenset({"www"}))
        await asyncio.sleep(0.5)
        stage.told.clear()
        stage.frozen.add("fra-1")
        await asyncio.sleep(20)
        for host in ("ams-1", "lhr-1"):
            assert not any(gone(watched) for _, watched in stage.told[host])
            said = stage.last(host).told["fra-1"]
            assert (said.voice, said.fit, said.seen) == (False, {"www"}, ())
        stage.frozen.clear()
        await asyncio.sleep(0.3)
        assert stage.last("ams-1").told["fra-1"].voice


async def test_a_silent_family_takes_down_its_own_paths_alone():
    async with Stage().running() as stage:
        for uplink in stage.fleet.pops["fra"].uplinks.values():
            stage.ether.cut.add(uplink.identity[Family.V6])
        await asyncio.sleep(0.4)
        watched = stage.last("ams-1")
        assert gone(watched, Family.V6) == {"fra"}
        assert gone(watched, Family.V4) == set()
        assert all(all(works.values()) for works in watched.working.values())
        works = stage.last("fra-1").working
        both_ways = {Family.V4: True, Family.V6: False}
        assert works == {"north": both_ways, "south": both_ways}


async def test_after_a_pause_losses_are_counted_anew():
    async with Stage().running() as stage:
        await asyncio.sleep(11)
        assert stage.last("ams-1").loss == {"north": 0.0, "south": 0.0}
        stage.frozen.add("ams-1")
        await asyncio.sleep(2)
        stage.frozen.clear()
        await asyncio.sleep(1)
        assert stage.last("ams-1").loss == {}
