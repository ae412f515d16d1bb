"""Watchers and responders over real sockets and policy routing, for tests to disturb."""

import asyncio
import contextlib

from agents.watch.messenger import Messenger
from agents.watch.watcher import Watcher
from agents.watch.wires import Wire
from ambicast.model.identifiers import Family
from tests.behaviour.kernel.responding import Responding
from tests.behaviour.kernel.world import Told

KEY = b"k" * 32
BOTH = {Family.V4: True, Family.V6: True}
NEITHER = {Family.V4: False, Family.V6: False}


class Watch:
    """A watcher and a responder in every PoP of a world."""

    def __init__(self, world, folder):
        world.steer_by_source()
        self.world = world
        self.responders = {pop: Responding(world, pop, folder, KEY) for pop in world.fleet.pops}
        self.told = {pop: Told() for pop in world.fleet.pops}
        self.watchers = {pop: self._watcher(pop) for pop in world.fleet.pops}

    def _watcher(self, name):
        def wire(family):
            with self.world.inside(name):
                return Wire(family)

        fleet = self.world.fleet
        return Watcher(
            *(fleet, fleet.pops[name], f"{name}-1", KEY, "run", self.told[name]),
            speak=Messenger(self.responders[name].socket),
            wire=wire,
        )

    @contextlib.asynccontextmanager
    async def running(self):
        async with contextlib.AsyncExitStack() as stack:
            for each in self.responders.values():
                await stack.enter_async_context(each)
            yield await stack.enter_async_context(self._watching())

    @contextlib.asynccontextmanager
    async def _watching(self):
        async with asyncio.TaskGroup() as tasks:
            all_ = [tasks.create_task(each.run()) for each in self.watchers.values()]
            for told in self.told.values():
                await told.until(lambda seen: all_up(seen, 8))
            yield self
            for task in all_:
                task.cancel()


def all_up(seen, paths):
    return len(seen.seen) == paths and all(each.up for each in seen.seen)


def gone(pop):
    """Every path to ``pop`` is down."""
    return lambda seen: not any(each.up for each in seen.seen if each.pop == pop)
