"""The dead man's switch with the real ExaBGP and BIRD; and what else the bridge is told."""

import asyncio
import json
import socket
import subprocess
import sys

import pytest

from agents.advertising.guard import Group, Guard, LocalCheck
from ambicast.model.routes import Advertisement
from tests.behaviour.exabgp.neighborhood import PATIENCE
from tests.integration.bgp.test_bridge import line, start

OURS, SHARED, KEPT = "198.18.0.0/22", "2001:db8:a::/47", "198.19.254.0/23"
WANTED = frozenset(
    {
        Advertisement(OURS, "north"),
        Advertisement(OURS, "south"),
        Advertisement(SHARED, "north"),
        Advertisement(KEPT, "south"),
    }
)
NOBODY_LISTENS = LocalCheck(
    kind="tcp", address="127.0.0.1", port=9, path="/", name="www", timeout=0.25
)
AFTER = 1.0


async def advertising(place, start_agent, *checks):
    """An agent that wants everything, and allows the switch what is behind ``checks``."""
    agent = start_agent()
    agent.bgp.want(WANTED)
    await agent.until_wire(WANTED)
    await place.bird.until(lambda b: b.routes("south_v4") == {OURS, KEPT} and here(b))
    await place.bird.until(lambda b: b.told_of(OURS, SHARED, KEPT) and told_twice(b))
    agent.bgp.guard(Guard(AFTER, (Group(checks, (OURS, SHARED)),)))
    return agent


def told_twice(bird):
    """Whether its log has come to both sessions' routes for the prefix that goes through both."""
    lines = [line for line in bird.changes if OURS in line]
    return all(any(each in line for line in lines) for each in ("north_v4", "south_v4"))


def here(bird):
    return bool(bird.routes("north_v4") and bird.routes("north_v6"))


async def test_a_silent_agent_over_a_dead_service_withdraws_what_it_allowed(running, start_agent):
    loop, bird = asyncio.get_running_loop(), running.bird
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as responder:
        responder.setblocking(False)
        responder.bind(str(running.folder / "responder.sock"))
        agent = await advertising(running, start_agent, NOBODY_LISTENS)
        heard = loop.time()
        await agent.stop()
        async with asyncio.timeout(PATIENCE):
            assert await loop.sock_recv(responder, 99) == b"unswitched"
            assert await loop.sock_recv(responder, 99) == b"switched"
            assert await loop.sock_recv(responder, 99) == b"switched"
        await bird.until(lambda b: not b.routes("north_v4") | b.routes("north_v6"))
        assert loop.time() - heard > AFTER
        assert bird.routes("south_v4") == {KEPT}
        successor = start_agent()
        successor.bgp.want(WANTED)
        await successor.until_wire(WANTED)
        successor.bgp.guard(Guard(30.0, (Group((NOBODY_LISTENS,), (OURS,)),)))
        async with asyncio.timeout(PATIENCE):
            while await loop.sock_recv(responder, 99) != b"unswitched":
                pass


async def test_an_agent_that_stands_still_while_attached_is_silent_too(running, start_agent):
    """And is detached: answers to the switch's commands would not be answers to its own."""
    agent = await advertising(running, start_agent, NOBODY_LISTENS)
    await agent.until(lambda seen: not seen.attached)
    await running.bird.until(lambda b: not b.routes("north_v4"))
    await agent.until_wire(WANTED)


async def test_a_silent_agent_over_a_fit_service_changes_nothing(running, start_agent):
    service = await asyncio.create_subprocess_exec(
        "ip", "netns", "exec", running.pop_space,
        sys.executable, "-u", "-m", "http.server", "8080", "--bind", "127.0.0.1",
        cwd=running.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    await service.stdout.readline()
    listens = LocalCheck(
        kind="http", address="198.19.254.1", port=8080, path="/", name="www", timeout=0.25
    )
    agent = await advertising(running, start_agent, NOBODY_LISTENS, listens)
    running.bird.changes.clear()
    await agent.stop()
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            assert b"GET / HTTP/1.1" in await service.stderr.readline()
    service.kill()
    await service.communicate()
    assert running.bird.changes == []
    await running.bird.until(lambda b: not here(b))  # and now it is dead


async def test_lines_for_the_bridge_never_reach_exabgp(tmp_path):
    bridge = await start(tmp_path / "bridge.sock")
    _, writer = await bridge.client()
    writer.write(b'#heartbeat {"after": 9, "groups": []}\none\n#nonsense\n#heartbeat {\n#\ntwo\n')
    assert [await bridge.exabgp_hears(), await bridge.exabgp_hears()] == ["one\n", "two\n"]
    await bridge.stop()


async def test_when_the_switch_fires_the_client_goes(tmp_path):
    """Answers to the switch's lines would be taken for answers to its own."""
    bridge = await start(tmp_path / "bridge.sock")
    reader, writer = await bridge.client()
    check = {"kind": "tcp", "address": "127.0.0.1", "port": 9}
    said = {"after": 0.2, "groups": [{"checks": [check], "withdraw": ["withdraw P"]}]}
    writer.write(f"#heartbeat {json.dumps(said)}\n".encode())
    assert await bridge.exabgp_hears() == "withdraw P\n"
    assert await line(reader) == ""
    await bridge.stop()


async def test_a_bridge_that_is_closing_takes_nobody_else(tmp_path):
    bridge = await start(tmp_path / "bridge.sock")
    reader, writer = await bridge.client()
    writer.write(b"#close\nlast words\n")
    assert await bridge.exabgp_hears() == "last words\n"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_unix_connection(bridge.path)
    bridge.exabgp_says("done\n")
    assert await line(reader) == "done\n"
    await bridge.stop()


async def test_a_socket_that_was_removed_is_made_again(tmp_path):
    bridge = await start(tmp_path / "bridge.sock")
    bridge.path.unlink()
    async with asyncio.timeout(PATIENCE):
        while not bridge.path.exists():
            bridge.exabgp_says("tick\n")
            await asyncio.sleep(0.05)
    await bridge.client()
    await bridge.stop()


async def test_a_socket_that_cannot_be_made_does_not_end_the_bridge(tmp_path):
    """Its sixth death within a minute would end ExaBGP."""
    bridge = await start(tmp_path / "missing" / "bridge.sock")
    (tmp_path / "missing").mkdir()
    async with asyncio.timeout(PATIENCE):
        while not bridge.path.exists():
            bridge.exabgp_says("tick\n")
            await asyncio.sleep(0.05)
    await bridge.client()
    await bridge.stop()


async def test_the_bridge_kills_the_exabgp_that_started_it(running):
    client = await running.attach()
    client.say("#restart")
    async with asyncio.timeout(PATIENCE):
        assert await running.exabgp.wait() == -9
