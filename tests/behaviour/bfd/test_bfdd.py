"""FRR's bfdd and BIRD, as the agent sees them: what BFD says of an uplink, and what not."""

import asyncio

import pytest

from ambicast.model.identifiers import Family
from tests.behaviour.bfd.neighbors import DETECTED

BOTH = {Family.V4: True, Family.V6: True}
ALL_UP = {"north": BOTH, "south": BOTH}
# Up takes up to two of the slow packets (RFC 5880 section 6.8.3: one a second until up).
COMING_UP = 8.0


def all_up(seen):
    return seen.up == ALL_UP


async def test_silence_is_noticed_in_three_intervals_and_so_is_its_end(watched):
    told, _ = watched.attach()
    await told.until(all_up, COMING_UP)
    loop = asyncio.get_running_loop()
    began = loop.time()
    watched.place.silence()
    nobody = {name: dict.fromkeys(Family, False) for name in ALL_UP}
    assert await told.until(lambda seen: seen.up == nobody) - began < DETECTED + 0.4
    watched.place.restore()
    await told.until(all_up, COMING_UP)


async def test_one_silent_family_says_nothing_of_the_other(watched):
    told, _ = watched.attach()
    await told.until(all_up, COMING_UP)
    settled = len(told.all)
    watched.drop("ip6")
    one = {Family.V4: True, Family.V6: False}
    await told.until(lambda seen: seen.up == {"north": one, "south": one})
    watched.restore()
    await told.until(all_up, COMING_UP)
    assert all(each.up[name][Family.V4] for _, each in told.all[settled:] for name in each.up)


@pytest.mark.parametrize("without", ["south_v6"])
async def test_a_neighbor_without_bfd_is_not_down(watched, without):
    told, _ = watched.attach()
    most = {"north": BOTH, "south": {Family.V4: True}}
    await told.until(lambda seen: seen.up == most, COMING_UP)
    watched.place.silence()
    await told.until(lambda seen: not any(any(each.values()) for each in seen.up.values()))
    assert Family.V6 not in told.last.up["south"]


async def test_an_agent_that_comes_back_finds_the_sessions_up(watched):
    told, task = watched.attach()
    await told.until(all_up, COMING_UP)
    watched.place.bird.ask("show bfd sessions")
    task.cancel()
    again, _ = watched.attach()
    await again.until(all_up, 2.0)
    sessions = watched.place.bird.ask("show bfd sessions")
    assert sessions.count(" Up ") == 4


async def test_without_bfdd_nothing_is_said_and_with_a_new_one_all_is_watched_again(watched):
    told, _ = watched.attach()
    await told.until(all_up, COMING_UP)
    await watched.kill_bfdd()
    await told.until(lambda seen: seen.up == {})
    await watched.start_bfdd()
    await told.until(all_up, COMING_UP)


async def test_a_neighbor_that_ends_bfd_without_a_word_is_down(watched):
    """BIRD does; so BFD is turned off on our side first (docs/operations.md)."""
    told, _ = watched.attach()
    await told.until(all_up, COMING_UP)
    watched.place.bird.ask("disable bfd1")
    await told.until(lambda seen: not any(any(each.values()) for each in seen.up.values()))
    assert set(told.last.up) == {"north", "south"}
