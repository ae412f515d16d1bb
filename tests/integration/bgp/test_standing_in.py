"""What an agent without an order reads from ExaBGP and wants of it changes nothing there."""

from __future__ import annotations

from agents.advertising.orderless import stand_in
from ambicast.model.routes import GRACEFUL_SHUTDOWN, Advertisement, Attributes
from tests.behaviour.exabgp.neighborhood import POP

LONG = Attributes(3, 50, ("64500:7", GRACEFUL_SHUTDOWN), ("64500:1:2", "64500:2:3"))
WANTED = frozenset(
    {
        Advertisement("198.18.0.0/22", "north", LONG),
        Advertisement("198.18.0.0/23", "south"),
        Advertisement("2001:db8:1000::/46", "north", LONG),
    }
)


async def test_what_was_found_is_wanted_without_an_update(running, start_agent):
    agent, bird = start_agent(), running.bird
    agent.bgp.want(WANTED)
    await agent.until_wire(WANTED)
    await bird.until(lambda bird: bird.told_of(*(each.prefix for each in WANTED)))
    await agent.stop()
    bird.changes.clear()
    successor = start_agent()
    seen = await successor.until(lambda seen: seen.attached)
    found = frozenset(stand_in(seen.rib, POP).advertisements)
    assert found == WANTED
    more = Advertisement("198.18.9.0/24", "south")
    successor.bgp.want(found | {more})
    await successor.until_wire(WANTED | {more})
    await bird.until(lambda bird: more.prefix in bird.routes("south_v4"))
    assert [line for line in bird.changes if more.prefix not in line] == []
