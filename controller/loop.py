"""The only place with tasks: mailbox -> fold -> step -> commands.

Every turn drains the mailbox, so that a burst of reports costs one decision, and journals what it
learned and decided BEFORE anything is sent: a controller that dies in between repeats itself, it
does not contradict itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from ambicast.model.fleet import Fleet
from controller.choreography.run import (
    Command,
    Happened,
    PublishMap,
    PublishOrder,
    PublishSteering,
    Run,
    WakeAt,
)
from controller.choreography.step import step
from controller.choreography.technique import EVERYTHING, Technique
from controller.world.belief import World, fold
from controller.world.condition import Assessment, assess
from controller.world.observations import EpochSeen, Observation, Tick

log = structlog.get_logger()

Send = PublishOrder | PublishSteering | PublishMap


class Journal(Protocol):
    """Where decisions are kept before they are carried out."""

    def append(self, entries: Sequence[tuple[float, Observation]], run: Run | None) -> None:
        """Keeps what was learned and, where it changed, the run; returns when it is stored."""

    def record(self, happened: Sequence[Happened]) -> None:
        """Keeps events for people."""

    def events(self, since: float, most: int) -> list[Happened]:
        """The last ``most`` events after ``since``, oldest first."""


class Agents(Protocol):
    """The way to the agents."""

    def send(self, command: Send) -> None:
        """Queues one message; never blocks. Newer ones to the same receiver replace it."""


class View(msgspec.Struct, frozen=True):
    """One consistent look for the API: belief, conditions, the run, and when."""

    world: World
    run: Run
    conditions: dict[str, Assessment]
    now: float


class Loop:
    """The controller's single owner of state."""

    def __init__(  # noqa: PLR0917 - the composition root names them all
        self,
        fleet: Fleet,
        run: Run,
        journal: Journal,
        agents: Agents,
        clock: Callable[[], float],
        mailbox: asyncio.Queue[Observation],
        techniques: frozenset[Technique] = EVERYTHING,
    ) -> None:
        """``clock`` gives seconds since the Unix epoch and never steps back in one process."""
        self._fleet = fleet
        self._run = run
        self._journal = journal
        self._agents = agents
        self._clock = clock
        self._techniques = techniques
        self._world = World(began_at=clock(), drains=run.drains)
        self._mailbox = mailbox
        self._listeners: list[Callable[[Happened], None]] = []
        self._wake_at = 0.0

    def tell(self, observation: Observation) -> None:
        """Puts something learned into the mailbox; never blocks."""
        self._mailbox.put_nowait(observation)

    def listen(self, listener: Callable[[Happened], None]) -> None:
        """Calls ``listener`` with every event from now on."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[Happened], None]) -> None:
        """Stops calling ``listener``."""
        self._listeners.remove(listener)

    def view(self) -> View:
        """The present state, for reading."""
        now = self._clock()
        conditions = {str(k): v for k, v in assess(self._world, self._fleet, now).items()}
        return View(self._world, self._run, conditions, now)

    def events(self, since: float, most: int) -> list[Happened]:
        """The last ``most`` events after ``since``, oldest first."""
        return self._journal.events(since, most)

    async def run(self) -> None:
        """Turns for ever."""
        while True:
            self.turn(await self._learned())

    async def _learned(self) -> list[Observation]:
        """Everything in the mailbox, or a tick when it is time to look again."""
        patience = max(0.0, self._wake_at - self._clock())
        try:
            async with asyncio.timeout(patience):
                first = await self._mailbox.get()
        except TimeoutError:
            return [Tick()]
        learned = [first]
        while not self._mailbox.empty():
            learned.append(self._mailbox.get_nowait())
        return learned

    def turn(self, learned: Sequence[Observation]) -> None:
        """One decision on everything just learned."""
        now = self._clock()
        for observation in learned:
            self._world = fold(self._world, observation, now)
        before = self._run
        self._run, commands = step(before, self._world, self._fleet, now, self._techniques)
        kept = [(now, each) for each in learned if not isinstance(each, Tick | EpochSeen)]
        changed = self._run if self._run != before else None
        if kept or changed is not None:
            self._journal.append(kept, changed)
        self._carry_out(commands)

    def _carry_out(self, commands: Sequence[Command]) -> None:
        happened = []
        for command in commands:
            match command:
                case WakeAt(at):
                    self._wake_at = at
                case Happened():
                    happened.append(command)
                case PublishOrder() | PublishSteering() | PublishMap():
                    self._agents.send(command)
        for each in happened:
            log.info(each.kind, pop=each.pop, text=each.text)
            for listener in self._listeners:
                listener(each)
        if happened:
            self._journal.record(happened)
