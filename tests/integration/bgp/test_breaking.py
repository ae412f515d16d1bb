"""Everything around the session dies in turn; what is advertised does not, or comes back."""

import asyncio
import os
import signal

import msgspec

from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement
from tests.behaviour.exabgp.neighborhood import PATIENCE, POP, uplink

WANTED = frozenset(
    {
        Advertisement("198.18.0.0/22", "north"),
        Advertisement("198.18.0.0/23", "south"),
        Advertisement("2001:db8:1000::/46", "north"),
    }
)


def has_it(bird):
    return (
        bird.routes("north_v4") == {"198.18.0.0/22"}
        and bird.routes("south_v4") == {"198.18.0.0/23"}
        and bird.routes("north_v6") == {"2001:db8:1000::/46"}
    )


async def advertising(running, start_agent):
    agent = start_agent()
    agent.bgp.want(WANTED)
    await agent.until_wire(WANTED)
    await running.bird.until(has_it)
    await running.bird.until(lambda bird: bird.told_of(*(each.prefix for each in WANTED)))
    return agent


async def nothing_changed_but_one_more(agent, bird):
    """The next route arrives, and no log line of BIRD's told of anything else before."""
    more = Advertisement("198.18.9.0/24", "south")
    agent.bgp.want(WANTED | {more})
    await agent.until_wire(WANTED | {more})
    await bird.until(lambda bird: more.prefix in bird.routes("south_v4"))
    assert [line for line in bird.changes if more.prefix not in line] == []


async def test_the_agent_dies_and_the_routes_stay(running, start_agent):
    agent, bird = await advertising(running, start_agent), running.bird
    bird.changes.clear()
    await agent.stop()
    successor = start_agent()
    seen = await successor.until_wire(WANTED)
    assert all(session.established for session in seen.sessions)
    await nothing_changed_but_one_more(successor, bird)


async def test_the_bridge_dies_and_the_routes_stay(running, start_agent):
    agent, bird = await advertising(running, start_agent), running.bird
    bird.changes.clear()
    running.kill_bridge()
    await agent.until(lambda seen: not seen.attached)
    await agent.until_wire(WANTED)
    await nothing_changed_but_one_more(agent, bird)


async def test_exabgp_is_killed_and_its_successor_is_told_everything(running, start_agent):
    agent, bird = await advertising(running, start_agent), running.bird
    await running.kill_exabgp()
    await agent.until(lambda seen: not seen.attached)
    await bird.until(lambda bird: not bird.routes("north_v4") | bird.routes("north_v6"))
    await running.start_exabgp()
    await agent.until_wire(WANTED)
    await bird.until(has_it)


async def test_a_session_that_goes_down_clears_its_wire_and_no_other(running, start_agent):
    agent, bird = await advertising(running, start_agent), running.bird
    bird.ask("disable north_v4")
    seen = await agent.until(lambda seen: len(seen.wire) == 2)
    assert seen.rib == WANTED
    assert {(s.uplink, s.family) for s in seen.sessions if not s.established} == {
        ("north", Family.V4)
    }
    more = WANTED | {Advertisement("198.18.2.0/23", "north")}
    agent.bgp.want(more)
    bird.ask("enable north_v4")
    await agent.until_wire(more)
    await bird.until(lambda b: b.routes("north_v4") == {"198.18.0.0/22", "198.18.2.0/23"})


async def test_a_family_that_was_not_negotiated_is_never_on_the_wire(place, start_agent):
    bird = await place.start_bird(without="north_v6")
    await place.start_one_family_neighbor()
    await place.start_exabgp()
    agent = start_agent()
    agent.bgp.want(WANTED)
    seen = await agent.until(
        lambda seen: (
            all(session.established for session in seen.sessions)
            and len(seen.wire) == 2
            and bool(seen.sessions)
        )
    )
    north_v6 = next(s for s in seen.sessions if (s.uplink, s.family) == ("north", Family.V6))
    assert north_v6.families == ()
    assert seen.rib == WANTED
    await bird.until(lambda bird: bird.routes("south_v4") == {"198.18.0.0/23"})
    assert not any(":" in each.prefix for told in agent.told for each in told.wire)


async def test_it_waits_for_a_bridge_that_is_not_there_yet(place, start_agent):
    agent = start_agent()
    agent.bgp.want(WANTED)
    await agent.until(lambda seen: not seen.attached)
    await place.start_bird()
    await place.start_exabgp()
    await agent.until_wire(WANTED)


async def test_exabgp_leads_a_process_group_of_its_own(running):
    """So nobody who stops the agent, or its group, stops BGP."""
    assert os.getpgid(running.exabgp.pid) == running.exabgp.pid


async def test_a_frozen_exabgp_is_killed_and_its_successor_told_everything(running, start_agent):
    agent, frozen = await advertising(running, start_agent), running.exabgp
    running.freeze_exabgp()
    agent.bgp.want(WANTED | {Advertisement("198.18.2.0/23", "north")})
    await agent.until(lambda seen: not seen.attached)
    async with asyncio.timeout(5):
        assert await frozen.wait() == -signal.SIGKILL
    await running.start_exabgp()
    await agent.until_wire(WANTED | {Advertisement("198.18.2.0/23", "north")})


async def test_a_silence_of_both_directions_heals_within_seconds(running, start_agent):
    agent = await advertising(running, start_agent)
    running.silence()
    await agent.until(lambda seen: not any(session.established for session in seen.sessions))
    loop = asyncio.get_running_loop()
    running.restore()
    start = loop.time()
    await agent.until_wire(WANTED)
    assert loop.time() - start < 4.0


async def test_an_uplink_exabgp_does_not_know_yet_hinders_no_other(running, start_agent):
    """An agent restarted with a new uplink in its fleet file; ExaBGP has to be restarted too."""
    west = uplink("west", "eth3", 5)
    wider = msgspec.structs.replace(POP, uplinks={**POP.uplinks, "west": west})
    agent = start_agent(wider)
    agent.bgp.want(WANTED | {Advertisement("198.18.0.0/22", "west")})
    seen = await agent.until(lambda seen: seen.wire == WANTED == seen.rib)
    assert {s.uplink for s in seen.sessions if not s.established} == {"west"}
    await running.bird.until(has_it)
    agent.bgp.want(WANTED | {Advertisement("198.18.9.0/24", "south")})
    await agent.until_wire(WANTED | {Advertisement("198.18.9.0/24", "south")})
    assert sum(not told.attached for told in agent.told) == 1  # before it was attached


async def test_an_exabgp_that_took_a_broken_file_for_an_empty_one_is_started_again(
    place, start_agent
):
    """It accepts a missing brace, and runs without any neighbor."""
    await place.start_bird()
    await place.start_exabgp(pop=msgspec.structs.replace(POP, uplinks={}))
    empty = place.exabgp
    agent = start_agent()
    agent.bgp.want(WANTED)
    async with asyncio.timeout(PATIENCE):
        assert await empty.wait() == -signal.SIGKILL
    await place.start_exabgp()
    await agent.until_wire(WANTED)
