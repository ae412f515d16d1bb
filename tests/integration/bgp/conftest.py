"""ExaBGP and BIRD in namespaces, and our session attached to them."""

import asyncio
import contextlib
import os

import pytest

from agents.bgp.session import Bgp
from tests.behaviour.exabgp.neighborhood import PATIENCE, POP, neighborhood

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: ./dev test")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "bgp" and {"running", "place"} & {*item.fixturenames}:
            item.add_marker(needs_root)


class Agent:
    """A :class:`Bgp`, and what it told last."""

    def __init__(self, place, pop):
        self._changed = asyncio.Event()
        self.told = []
        self.bgp = Bgp(place.bridge, pop, 64500, self._hear)
        self._task = None

    def _hear(self, seen):
        self.told.append(seen)
        self._changed.set()

    def start(self):
        self._task = asyncio.get_running_loop().create_task(self.bgp.run(), name="bgp")

    async def stop(self):
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def until(self, wanted):
        """Waits until the last thing told is as wanted."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (self.told and wanted(self.told[-1])):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pytest.fail(f"in vain; the last it told: {self.told[-1:]}")
        return self.told[-1]

    async def until_wire(self, advertisements):
        return await self.until(lambda seen: seen.wire == advertisements == seen.rib)


@pytest.fixture
async def place(tmp_path):
    async with neighborhood(tmp_path) as built:
        yield built


@pytest.fixture
async def running(place):
    await place.start_bird()
    await place.start_exabgp()
    await place.bird.all_up()
    return place


@pytest.fixture
async def start_agent(place):
    """Starts agents; each is stopped in the end."""
    started = []

    def start(pop=POP):
        agent = Agent(place, pop)
        agent.start()
        started.append(agent)
        return agent

    yield start
    for agent in started:
        await agent.stop()
