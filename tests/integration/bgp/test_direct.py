"""Break-glass without an agent: a real ExaBGP is looked at, emptied, or ended."""

from __future__ import annotations

import asyncio
import contextlib
import json

from agents.bgp.direct import DISARMED, Direct
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


async def test_hold_without_an_agent_disarms_the_switch(tmp_path):
    async with listening(tmp_path / "bridge.sock") as (relay, direct):
        assert await direct.disarm(2.0)
        assert [json.loads(line) for line in relay.heartbeats] == [
            {"after": DISARMED, "groups": [], "away": True}
        ]


async def test_a_bridge_that_does_not_say_what_it_heeds_is_told_nothing(tmp_path):
    async with listening(tmp_path / "bridge.sock", greeting=b"") as (relay, direct):
        assert not await direct.disarm(0.2)
        assert relay.heartbeats == []
    assert not await direct.disarm(0.2), "and nobody at the socket is no success"


class Listener:
    """A bridge's end of the socket."""

    def __init__(self, greeting):
        self._greeting, self.heartbeats = greeting, []
        self.over = asyncio.Event()

    async def serve(self, reader, writer):
        writer.write(b"half a line of ExaBGP's\n")
        while line := await reader.readline():
            if line == b"#hello\n":
                writer.write(self._greeting)
            elif line.startswith(b"#heartbeat "):
                self.heartbeats.append(line.split(b" ", 1)[1])
        writer.close()
        await writer.wait_closed()
        self.over.set()


@contextlib.asynccontextmanager
async def listening(path, greeting=b"#bridge heartbeat restart close\n"):
    listener = Listener(greeting)
    server = await asyncio.start_unix_server(listener.serve, path)
    async with server:
        yield listener, Direct(path, None, 0)
        await listener.over.wait()
    path.unlink()
