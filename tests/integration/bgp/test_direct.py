"""Break-glass without an agent: a real ExaBGP is looked at, emptied, or ended."""

from __future__ import annotations

from agents.bgp.direct import Direct
from tests.behaviour.exabgp.neighborhood import POP
from tests.integration.bgp.test_breaking import WANTED, advertising, has_it

WITHIN = 10.0


async def test_what_a_dead_agent_left_is_seen_and_withdrawn(running, start_agent):
    agent = await advertising(running, start_agent)
    await agent.stop()
    direct = Direct(running.bridge, POP, 64500)
    seen = await direct.look(WITHIN)
    assert seen.rib == seen.wire == WANTED
    await running.bird.until(has_it)
    after = await direct.withdraw(WITHIN)
    assert (after.rib, after.wire) == (frozenset(), frozenset())
    await running.bird.until(lambda bird: not bird.routes("north_v4") | bird.routes("north_v6"))
    assert all(session.established for session in after.sessions)


async def test_an_exabgp_that_does_not_answer_is_known_by_that(running, start_agent):
    agent = await advertising(running, start_agent)
    await agent.stop()
    running.freeze_exabgp()
    try:
        direct = Direct(running.bridge, POP, 64500)
        assert await direct.is_there()
        assert await direct.withdraw(0.5) is None
    finally:
        running.thaw_exabgp()


async def test_nobody_at_the_socket_is_no_exabgp(tmp_path):
    assert not await Direct(tmp_path / "none.sock", POP, 64500).is_there()
