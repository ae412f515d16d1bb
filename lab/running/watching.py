"""Everything that observes a trial while it runs, under one roof: start, watch, stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from lab.engines.running import RunningLab
from lab.fibs import FibEvent, FibMonitor
from lab.judging.expectations import Happening
from lab.judging.watching import Judge
from lab.timeline.entries import Entry, of_route
from lab.timeline.listening import Decisions, listen_to_broker
from lab.topology.internet import Internet

FLEET: Final = "lab"
SERVICE_NAME: Final = "www.cdn.example"


class Watch:
    """What was seen so far.

    Attributes:
        judge: samples of both layers; None where there are no nameservers to ask.
    """

    def __init__(
        self, lab: RunningLab, internet: Internet, fibs: FibMonitor, *, agents: bool
    ) -> None:
        self._lab = lab
        self._fibs = fibs
        self._routes: list[FibEvent] = []
        self._messages: list[Entry] = []
        self._decisions = Decisions(lab.api, time.time_ns() / 1e9) if agents else None
        networks = {node.name: lab.network(node.name) for node in lab.topology.nodes}
        self.judge = Judge(internet, networks, fibs, SERVICE_NAME) if agents else None

    @property
    def route_changes(self) -> int:
        """How many there were so far."""
        return len(self._routes)

    @property
    def events(self) -> list[Happening]:
        """What the controller reported."""
        return self._decisions.events if self._decisions else []

    def entries(self) -> list[Entry]:
        """Everything for the timeline but faults and probes."""
        found = [of_route(event) for event in self._routes] + self._messages
        if self._decisions:
            found += self._decisions.entries
        for change in self.judge.changes if self.judge else []:
            who = f"{change.asked.client} {change.asked.family}"
            text = f"answers {who} with {change.address or 'nothing'}"
            found.append(Entry(change.t_ns, "dns", change.asked.nameserver, text))
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch during the body."""
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(self._follow_routes(), name="routes")]
            if self.judge is not None and self._decisions is not None:
                broker = listen_to_broker(self._lab.broker, FLEET, self._messages)
                started += [
                    tasks.create_task(broker, name="broker"),
                    tasks.create_task(self._decisions.follow(), name="decisions"),
                    tasks.create_task(self.judge.run(), name="judge"),
                ]
            try:
                yield
            finally:
                for task in started:
                    task.cancel()

    async def _follow_routes(self) -> None:
        async for event in self._fibs.events():
            self._routes.append(event)
