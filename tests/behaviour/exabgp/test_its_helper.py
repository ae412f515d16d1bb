"""What becomes of ExaBGP and its sessions when the helper (our bridge) dies, or does not read."""

import os
import signal

from agents.bgp.commands import SHOW_RIB, SHOW_SESSIONS
from agents.bgp.events import Up

NORTH4 = "10.3.1.1"


async def until_hung_up(client):
    while await client._reader.read(2**16):
        pass


async def test_a_dead_helper_is_replaced_and_sessions_and_routes_stay(running):
    client, bird = await running.attach(), running.bird
    await client.ask(f"neighbor {NORTH4} announce attributes next-hop self nlri 198.18.0.0/22")
    await bird.until(lambda bird: bird.routes("north_v4"))
    before = bird.ask("show protocols")
    for _ in range(3):
        running.kill_bridge()
        await until_hung_up(client)
        client = await running.attach()
        rows, _ = await client.ask(SHOW_RIB)
        assert len(rows) == 1
    assert bird.ask("show protocols") == before


async def test_what_it_says_to_a_helper_that_just_died_is_lost_and_the_table_tells(running):
    """So whoever attaches asks for everything, and believes no event it did not hear."""
    running.freeze_exabgp()
    running.kill_bridge()
    running.bird.ask("disable north_v4")
    running.thaw_exabgp()
    client = await running.attach()
    while True:
        ((table,), _) = await client.ask(SHOW_SESSIONS)
        if sum(row.established for row in table.rows) == 3:
            break
    assert [row.neighbor for row in table.rows if not row.established] == [NORTH4]


async def test_a_helper_that_does_not_read_stops_exabgp_until_it_reads_again(place):
    """Why the bridge reads whatever happens."""
    bird = await place.start_bird(hold=3)
    await place.start_exabgp(hold=3)
    await bird.all_up()
    client = await place.attach()
    await client.all_up()
    bridge = place.bridge_pid()
    client.say(*[SHOW_SESSIONS] * 100)
    await client.answer()
    os.kill(bridge, signal.SIGSTOP)
    await bird.until(lambda bird: not any(bird.up(p) for p in ("north_v4", "south_v4")))
    os.kill(bridge, signal.SIGCONT)
    await client.event(Up, lambda event: event.neighbor == NORTH4)
