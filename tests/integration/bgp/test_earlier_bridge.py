"""A bridge of an earlier release hands every line to ExaBGP, so it is given no others."""

import asyncio
import contextlib

import pytest

from agents.advertising.guard import Group, Guard
from agents.bgp.session import Bgp
from tests.agents_advertising.hosts import AMS


class Endpoint:
    """A bridge's socket; the test reads and writes it."""

    def __init__(self):
        self.reader = self.writer = None
        self.attached = asyncio.Event()

    async def serve(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.attached.set()

    async def hears(self, word):
        async with asyncio.timeout(5):
            while True:
                line = (await self.reader.readline()).decode()
                if line.startswith(word):
                    return line


@pytest.fixture
async def endpoint(tmp_path):
    endpoint = Endpoint()
    server = await asyncio.start_unix_server(endpoint.serve, tmp_path / "sock")
    endpoint.bgp = Bgp(tmp_path / "sock", AMS, 64500, lambda _: None)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(endpoint.bgp.run(), name="bgp")
        async with asyncio.timeout(5):
            await endpoint.attached.wait()
        yield endpoint
        task.cancel()
    endpoint.writer.close()
    server.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await server.wait_closed()


async def test_a_bridge_that_does_not_greet_gets_no_heartbeat(endpoint):
    await endpoint.hears("#hello")
    endpoint.bgp.guard(Guard(30.0))
    endpoint.bgp._writer.write(b"marker\n")
    async with asyncio.timeout(5):
        said = (await endpoint.reader.readuntil(b"marker\n")).decode()
    assert "#heartbeat" not in said


SOME = Guard(30.0, (Group((), ("198.18.0.0/22",)),))
HELD = Guard(30.0, held=True)


async def greeted(endpoint):
    await endpoint.hears("#hello")
    endpoint.writer.write(b"#bridge heartbeat restart close\n")
    async with asyncio.timeout(5):
        while not endpoint.bgp._heeds:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)


@pytest.mark.parametrize("guard", [SOME, HELD], ids=["some", "held"])
async def test_one_that_greets_gets_them(endpoint, guard):
    await greeted(endpoint)
    endpoint.bgp.guard(guard)
    assert await endpoint.hears("#heartbeat")


async def test_an_agent_that_has_just_begun_disarms_nothing(endpoint, monkeypatch):
    await greeted(endpoint)
    endpoint.bgp.guard(Guard(30.0))
    endpoint.bgp.guard(SOME)
    assert "withdraw" in await endpoint.hears("#heartbeat"), "the empty one was not said"
    monkeypatch.setattr("agents.bgp.session.FIRST_EMPTY", 0.0)
    endpoint.bgp.guard(Guard(30.0))
    assert '"groups":[]' in await endpoint.hears("#heartbeat")
