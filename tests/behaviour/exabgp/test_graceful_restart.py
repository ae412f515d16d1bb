"""Graceful restart (RFC 4724) at a real neighbor: off by default, and right with it on."""

import asyncio
import signal

import pytest

from agents.bgp.farewell import say_farewell
from ambicast.model.routes import Advertisement
from tests.behaviour.exabgp.advertiser import agent_at
from tests.behaviour.exabgp.neighborhood import POP

V4, V6, EXTRA = "198.18.0.0/22", "2001:db8:1000::/46", "198.18.2.0/23"
WANTED = frozenset({Advertisement(V4, "north"), Advertisement(V6, "north")})
MORE = WANTED | {Advertisement(EXTRA, "north")}


@pytest.fixture
async def graceful(place):
    await place.start_bird()
    await place.start_exabgp(graceful=30)
    await place.bird.all_up()
    return place


def has(bird, *prefixes):
    return bird.routes("north_v4") | bird.routes("north_v6") == set(prefixes)


async def advertised(place, agent):
    agent.bgp.want(MORE)
    await agent.until_wire(MORE)
    await place.bird.until(lambda bird: has(bird, V4, V6, EXTRA))
    await place.bird.until(lambda bird: bird.told_of(V4, V6, EXTRA))
    place.bird.changes.clear()


def lost(bird):
    return [line for line in bird.changes if "removed" in line]


async def test_killed_and_started_again_its_routes_never_leave_the_neighbor(graceful):
    """But what is not wanted any more goes at the end of the table, long before the 30 s."""
    bird = graceful.bird
    async with agent_at(graceful) as agent:
        await advertised(graceful, agent)
        await graceful.kill_exabgp()
        agent.bgp.want(WANTED)
        await graceful.start_exabgp()
        await agent.until_wire(WANTED)
        await bird.until(lambda bird: has(bird, V4, V6))
        await bird.until(lambda bird: any(EXTRA in line for line in lost(bird)))
        assert [line for line in lost(bird) if EXTRA not in line] == []


async def test_without_it_a_killed_exabgp_is_withdrawn_at_once(running):
    async with agent_at(running, graceful=False) as agent:
        await advertised(running, agent)
        await running.kill_exabgp()
        async with asyncio.timeout(1.0):
            await running.bird.until(has)


async def test_with_it_a_stop_alone_leaves_the_routes_behind(graceful):
    """Why there is a farewell."""
    async with agent_at(graceful) as agent:
        await advertised(graceful, agent)
        graceful.exabgp.send_signal(signal.SIGTERM)
        await graceful.exabgp.wait()
        assert has(graceful.bird, V4, V6, EXTRA)


async def test_a_farewell_withdraws_everything_and_the_agent_cannot_undo_it(graceful):
    async with agent_at(graceful) as agent:
        await advertised(graceful, agent)
        assert await say_farewell(graceful.bridge, POP, 64500)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_unix_connection(graceful.bridge)
        await graceful.bird.until(has)
        graceful.bird.changes.clear()
        graceful.exabgp.send_signal(signal.SIGTERM)
        await graceful.exabgp.wait()
        assert [line for line in graceful.bird.changes if "added" in line] == []


async def test_a_farewell_with_nothing_to_withdraw_is_short(graceful):
    await graceful.attach()
    async with asyncio.timeout(1.0):
        assert await say_farewell(graceful.bridge, POP, 64500)


async def test_a_farewell_to_an_exabgp_that_does_not_run_is_none(place):
    assert not await say_farewell(place.bridge, POP, 64500)
