"""The only place with tasks: mailbox -> fold -> step -> commands.

Every turn drains the mailbox, so that a burst of reports costs one decision, and journals what it
learned and decided BEFORE anything is sent: a controller that dies in between repeats itself, it
does not contradict itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from ambicast.contract.tally import worth_telling
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
from controller.world.observations import Observation, Tick

log = structlog.get_logger()

# Seconds until the next look after a turn that failed.
AFTER_FAULT = 1.0

Send = PublishOrder | PublishSteering | PublishMap


class JournalFault(Exception):  # noqa: N818 - the port's one fault
    """The journal could not keep something; the text says which file and why.

    ``unreadable``: what is in the file makes no sense any more.
    """

    def __init__(self, text: str, *, unreadable: bool = False) -> None:
        super().__init__(text)
        self.unreadable = unreadable


class SendFault(Exception):  # noqa: N818 - the port's one fault
    """A message cannot be sent, ever; the text says which and why."""


class Journal(Protocol):
    """Where decisions are kept before they are carried out."""

    def begin(self, now: float, run: Run) -> None:
        """Keeps with which run, and when, this controller begins."""

    def append(self, entries: Sequence[tuple[float, Observation]], run: Run | None) -> None:
        """Keeps one turn: what was learned and, where it changed, the run; returns when stored."""

    def record(self, happened: Sequence[Happened]) -> None:
        """Keeps events for people."""

    def events(self, since: float, most: int) -> list[Happened]:
        """The last ``most`` events after ``since``, oldest first."""


class Agents(Protocol):
    """The way to the agents."""

    def send(self, command: Send) -> None:
        """Queues one message; never blocks. Newer ones to the same receiver replace it.

        Raises:
            SendFault: it cannot be sent as it is; its receiver keeps what it has.
        """


class Life(Protocol):
    """Is shown that this loop still turns, by the loop itself; see :mod:`ambicast.notify`."""

    def turned(self, now: float, status: str) -> None:
        """The loop has made a turn; ``status`` is one line for people."""


class View(msgspec.Struct, frozen=True):
    """One consistent look for the API: belief, conditions, the run, and when.

    ``faults`` counts turns, journal writes and messages that failed; ``dropped`` what came in and
    was of no use, by what was wrong with it.
    """

    world: World
    run: Run
    conditions: dict[str, Assessment]
    now: float
    faults: int = 0
    dropped: Mapping[str, int] = {}


class Loop:
    """The controller's single owner of state."""

    def __init__(  # noqa: PLR0913, PLR0917 - the composition root names them all
        self,
        fleet: Fleet,
        run: Run,
        journal: Journal,
        agents: Agents,
        clock: Callable[[], float],
        mailbox: asyncio.Queue[Observation],
        techniques: frozenset[Technique] = EVERYTHING,
        life: Life | None = None,
        dropped: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        """``clock`` gives seconds since the Unix epoch and never steps back in one process."""
        self._dropped = dropped
        self._fleet = fleet
        self._run = run
        self._journal = journal
        self._agents = agents
        self._clock = clock
        self._techniques = techniques
        self._life = life
        self._world = World(began_at=clock(), drains=run.drains)
        self._mailbox = mailbox
        self._listeners: list[Callable[[Happened], None]] = []
        self._wake_at = 0.0
        self._faults = 0
        self._unkept = 0
        self._begin()

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
        return View(self._world, self._run, conditions, now, self._faults, self._dropped())

    def events(self, since: float, most: int) -> list[Happened]:
        """The last ``most`` events after ``since``, oldest first."""
        return self._journal.events(since, most)

    async def run(self) -> None:
        """Turns for ever."""
        while True:
            self.turn(await self._learned())
            if self._life is not None:
                self._life.turned(self._clock(), self._in_a_line())

    def count_fault(self) -> None:
        """One more thing that could not be used, kept where the API shows it."""
        self._faults += 1

    def complain(self, kind: str, text: str) -> None:
        """A fault, and an event that tells people of it."""
        self.count_fault()
        self._carry_out([Happened(self._clock(), kind, "", text)])

    def _in_a_line(self) -> str:
        reached = "broker reached" if self._world.connected else "broker lost: nothing changes"
        return f"epoch {self._run.epoch}, {len(self._run.pops)} PoPs, {reached}"

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
        """One decision on everything just learned.

        A fault of ours in the decision leaves belief and run as they were: nothing is sent, the
        fleet stays as it is, and the fault is logged and counted (``View.faults``). The next turn
        looks again.
        """
        now = self._clock()
        before = self._run
        try:
            world = self._world
            for observation in learned:
                world = fold(world, observation, now)
            run, commands = step(before, world, self._fleet, now, self._techniques)
        except Exception:
            self._faults += 1
            self._wake_at = now + AFTER_FAULT
            log.exception("turn failed", learned=[type(each).__name__ for each in learned])
            return
        self._world, self._run = world, run
        # A tick that changed nothing can matter to nothing after it, nor to a replay.
        kept = [(now, each) for each in learned if run != before or not isinstance(each, Tick)]
        if kept:
            self._keep(kept, run if run != before else None)
        self._carry_out(commands)

    def _begin(self) -> None:
        try:
            self._journal.begin(self._world.began_at, self._run)
        except JournalFault as fault:
            self._not_kept(fault)

    def _keep(self, learned: Sequence[tuple[float, Observation]], run: Run | None) -> None:
        # A full disk must not stand between a dead PoP and its takeover: what could not be kept
        # is still on the bus, retained, and a controller without memory adopts what it finds.
        try:
            self._journal.append(learned, run)
        except JournalFault as fault:
            self._not_kept(fault)

    def _carry_out(self, commands: Sequence[Command]) -> None:
        happened = []
        for command in commands:
            match command:
                case WakeAt(at):
                    self._wake_at = at
                case Happened():
                    happened.append(command)
                case PublishOrder() | PublishSteering() | PublishMap():
                    happened += self._sent(command)
        for each in happened:
            log.info(each.kind, pop=each.pop, text=each.text)
            for listener in self._listeners:
                listener(each)
        if happened:
            try:
                self._journal.record(happened)
            except JournalFault as fault:
                self._not_kept(fault)

    def _not_kept(self, fault: JournalFault) -> None:
        """Counted; told at first, and then now and then: a full disk fails every turn."""
        self._faults += 1
        self._unkept += 1
        if worth_telling(self._unkept):
            log.error("journal failed", why=str(fault), so_far=self._unkept)

    def _sent(self, command: Send) -> list[Happened]:
        """Sends; says so where that cannot be done, because nothing will come of waiting."""
        try:
            self._agents.send(command)
        except SendFault as fault:
            self._faults += 1
            pop = str(command.pop) if isinstance(command, PublishOrder) else ""
            return [Happened(self._clock(), "message.unsendable", pop, str(fault))]
        return []
