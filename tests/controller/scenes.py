"""A loop with real turns in virtual time, agents of the stage, and ports that write down."""

from __future__ import annotations

import asyncio

from controller.choreography.run import PublishOrder, PublishSteering, fresh
from controller.loop import Loop
from controller.world.observations import BusChanged
from tests.choreography.fleets import three_pops
from tests.choreography.stage import Stage

QUICK = {"ttl": 1.0, "tail": 0.5, "stagger": 1.0, "settle_down": 2.0, "shutdown_wait": 0.5}


class Diary:
    """Journal and agents at once: ``pages`` in the order of the calls, also for ``journal``."""

    def __init__(self, journal=None):
        self.pages = []
        self.journal = journal

    def begin(self, now, run):
        self.pages.append(("begin", now))
        if self.journal:
            self.journal.begin(now, run)

    def append(self, entries, run):
        self.pages.append(("append", tuple(entries), run))
        if self.journal:
            self.journal.append(entries, run)

    def record(self, happened):
        self.pages.append(("record", tuple(happened)))

    def events(self, since, most):
        found = [each for page in self.read("record") for each in page[1] if each.at > since]
        return found[-most:]

    def send(self, command):
        self.pages.append(("send", command))

    def read(self, kind):
        return [page for page in self.pages if page[0] == kind]


class Troupe:
    """The stage's agents, played to a loop instead of to the bare core."""

    def __init__(self, diary, clock, run=None, fleet=None):
        self.fleet = fleet or three_pops(**QUICK)
        self.stage = Stage(self.fleet, connected=False)
        self.clock = clock
        self.diary = diary
        self.mailbox = asyncio.Queue()
        run = run or fresh(self.fleet, 1, clock())
        self.loop = Loop(self.fleet, run, diary, diary, clock, self.mailbox)
        self.stage.learn = self.loop.tell
        self._read = 0

    def report(self):
        """Agents carry out what they were sent, then tell how they are."""
        for _, command in self.diary.read("send")[self._read :]:
            match command:
                case PublishOrder(_, host, stamp, order):
                    self.stage.orders[host] = (stamp, order)
                case PublishSteering(nameserver, stamp, steering):
                    self.stage.answers[nameserver] = (stamp, steering)
        self._read = len(self.diary.read("send"))
        self.stage.report()

    def settle(self, turns=40):
        """Until every PoP is at home, with the clock's own steps."""
        self.loop.tell(BusChanged(connected=True))
        for _ in range(turns):
            self.clock.now += 0.2
            self.report()
            self.drain_mailbox()

    def drain_mailbox(self):
        learned = []
        while not self.mailbox.empty():
            learned.append(self.mailbox.get_nowait())
        self.loop.turn(learned)


class Clock:
    """Seconds that stand still until they are told to go on."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now
