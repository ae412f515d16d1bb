"""Everything that observes a trial while it runs, under one roof: start, watch, stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from ambicast.model.quantities import rate
from lab.engines.running import RunningLab
from lab.fibs import FibEvent, FibMonitor
from lab.judging import egress
from lab.judging.coverage import CoverageSample, inexact, missing, steered
from lab.judging.received import ReceivedSample, look_at_received
from lab.judging.refusals import Refusal
from lab.judging.routing import Routes, addresses, log_of, routers
from lab.judging.rows import Happening
from lab.judging.sessions import SessionSample, ended, look
from lab.judging.steadiness import Steadiness
from lab.judging.watching import Judge
from lab.running.refusing import counted, in_logs, of_message
from lab.running.speaking import listener
from lab.timeline.entries import Entry, of_route
from lab.timeline.listening import Decisions, listen_to_broker
from lab.topology.fleetfile import CAPACITY
from lab.topology.internet import Internet

FLEET: Final = "lab"
SESSIONS_S: Final = 0.5
RECEIVED_S: Final = 0.25
COVERAGE_S: Final = 0.1
SERVICE_NAME: Final = "www.cdn.example"


class Watch:
    """What was seen so far.

    Attributes:
        judge: samples of both layers; None where there are no nameservers to ask.
        sessions: BGP connections at the routers, twice a second.
        coverage: steered prefixes without any route, ten times a second.
        egress: by which neighbor each PoP's answers leave, as often.
    """

    def __init__(
        self,
        lab: RunningLab,
        internet: Internet,
        fibs: FibMonitor,
        *,
        agents: bool,
        received: bool = False,
    ) -> None:
        """`received`: also ask the routers four times a second what they hold from each PoP."""
        self._internet = internet
        self._ask_routers = received
        self.received: list[ReceivedSample] = []
        self._lab = lab
        self._fibs = fibs
        self._routes: list[FibEvent] = []
        self._messages: list[Entry] = []
        self._refusals: list[Refusal] = []
        self._decisions = Decisions(lab.api, time.time_ns() / 1e9) if agents else None
        networks = {node.name: lab.network(node.name) for node in lab.topology.nodes}
        self._routers = {name: networks[name] for name in routers(lab.topology)}
        self._strangers = frozenset(
            a.bare for name in self._routers for a in lab.topology.node(name).addresses
        )
        self._prefixes = steered(internet)
        self._addresses = addresses(internet, lab.topology)
        self.sessions: list[SessionSample] = []
        self.coverage: list[CoverageSample] = []
        self.egress: list[egress.EgressSample] = []
        self._first: tuple[int, Routes] = (0, {})
        self.judge = Judge(internet, networks, fibs, SERVICE_NAME) if agents else None

    @property
    def route_changes(self) -> int:
        """How many there were so far."""
        return len(self._routes)

    @property
    def events(self) -> list[Happening]:
        """What the controller reported."""
        return self._decisions.events if self._decisions else []

    def begin(self, zero_ns: int) -> None:
        """Take the routes as they are now for those of the beginning."""
        self._first = (zero_ns, self._fibs.routes(self._routers))

    def steadiness(self) -> Steadiness:
        """All that was seen since `begin` of what should not move."""
        zero_ns, first = self._first
        nodes = tuple(self._routers)
        return Steadiness(
            zero_ns=zero_ns,
            routes=log_of(first, self._routes, nodes, self._addresses, zero_ns),
            sessions=self.sessions,
            coverage=self.coverage,
            changes=self.judge.changes if self.judge else (),
            received=self.received,
            egress=self.egress,
            refusals=[*self._refusals, *in_logs(self._lab), *self._counted()],
            # The client list has a row for each family.
            demand={
                each.name: rate(each.demand) * len(each.networks)
                for each in self._internet.clients
            },
            capacity={pop.name: rate(CAPACITY) for pop in self._internet.pops},
        )

    def entries(self) -> list[Entry]:
        """Everything for the timeline but faults and probes."""
        found = [of_route(event) for event in self._routes] + self._messages
        if self._decisions:
            found += self._decisions.entries
        for change in self.judge.changes if self.judge else []:
            who = f"{change.asked.client} {change.asked.family}"
            text = f"answers {who} with {change.address or 'nothing'}"
            found.append(Entry(change.t_ns, "dns", change.asked.nameserver, text))
        for t_ns, connection in ended(self.sessions, 0):
            found.append(Entry(t_ns, "bgp", connection.router, f"lost {connection.peer}"))
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch during the body."""
        async with asyncio.TaskGroup() as tasks:
            started = [
                tasks.create_task(self._follow_routes(), name="routes"),
                tasks.create_task(self._look_at_sessions(), name="sessions"),
                tasks.create_task(self._look_for_gaps(), name="coverage"),
            ]
            if self._ask_routers:
                started.append(tasks.create_task(self._look_at_received(), name="received"))
            if self.judge is not None and self._decisions is not None:
                broker = listen_to_broker(
                    lambda: listener(self._lab), FLEET, self._messages, self._hear
                )
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

    def _hear(self, topic: str, payload: bytes, t_ns: int) -> None:
        refusal = of_message(FLEET, topic, payload, t_ns)
        if refusal is not None:
            self._refusals.append(refusal)

    def _counted(self) -> list[Refusal]:
        return counted(self._decisions.faults) if self._decisions else []

    async def _follow_routes(self) -> None:
        async for event in self._fibs.events():
            self._routes.append(event)

    async def _look_at_sessions(self) -> None:
        while True:
            now_ns = time.time_ns()
            self.sessions.append(look(now_ns, self._routers, self._strangers))
            await asyncio.sleep(SESSIONS_S)

    async def _look_at_received(self) -> None:
        while True:
            asked = asyncio.to_thread(look_at_received, self._lab, self._internet, time.time_ns())
            if (sample := await asked) is not None:
                self.received.append(sample)
            await asyncio.sleep(RECEIVED_S)

    async def _look_for_gaps(self) -> None:
        nodes = tuple(self._routers)
        while True:
            gaps = missing(self._fibs, nodes, self._prefixes)
            exactly = inexact(self._fibs, nodes, self._prefixes)
            now_ns = time.time_ns()
            self.coverage.append(CoverageSample(now_ns, gaps, exactly))
            self.egress.append(egress.look(self._fibs, self._internet, now_ns))
            await asyncio.sleep(COVERAGE_S)
