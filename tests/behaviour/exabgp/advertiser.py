"""Our own session to ExaBGP, for tests that look at the neighbor."""

import asyncio
import contextlib

from agents.bgp.session import Bgp
from tests.behaviour.exabgp.neighborhood import PATIENCE, POP


class Agent:
    """A session to ExaBGP; ``wire`` is what it has sent."""

    def __init__(self, place, *, graceful):
        self._told = asyncio.Event()
        self.seen = None
        self.bgp = Bgp(place.bridge, POP, 64500, self._hear, graceful=graceful)

    def _hear(self, seen):
        self.seen = seen
        self._told.set()

    async def until_wire(self, advertisements):
        async with asyncio.timeout(PATIENCE):
            while not self.seen or not self.seen.attached or self.seen.wire != advertisements:
                self._told.clear()
                await self._told.wait()


@contextlib.asynccontextmanager
async def agent_at(place, *, graceful=True):
    agent = Agent(place, graceful=graceful)
    task = asyncio.get_running_loop().create_task(agent.bgp.run(), name="bgp")
    yield agent
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
