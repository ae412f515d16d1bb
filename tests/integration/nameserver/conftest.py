from __future__ import annotations

import asyncio
import contextlib

import pytest

from agents.nameserver.knot import Nameserver
from ambicast.contract.messages import Outcome
from tests.behaviour.knot.daemon import Daemon


@pytest.fixture
def daemon(tmp_path):
    """A knotd whose first address this host does not have, as after the loss of an uplink."""
    found = Daemon(tmp_path, addresses=("192.0.2.77", "127.0.0.1", "::1")).start()
    yield found
    found.kill()


class Agent:
    """Our nameserver adapter beside a real knotd; waits for what it tells."""

    def __init__(self, daemon):
        self.receipts, self.reports = [], []
        self._news = asyncio.Event()
        self.nameserver = Nameserver(
            daemon.fleet,
            "ams",
            socket=daemon.places.socket,
            directory=daemon.places.directory,
            instance="test",
            tell_receipt=self._receipt,
            tell_report=self._report,
            port=daemon.port,
        )

    @contextlib.asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.nameserver.run(), name="nameserver")
            try:
                yield self
            finally:
                task.cancel()

    async def receipt(self, stamp, about="steering"):
        """The receipt for a message, as soon as it is there."""
        while True:
            for answered, receipt in self.receipts:
                if (answered, receipt.answers_to) == (stamp, about):
                    return receipt
            await self._next()

    async def accepted(self, stamp, about="steering"):
        receipt = await self.receipt(stamp, about)
        assert receipt.outcome is Outcome.ACCEPTED, receipt
        return receipt

    async def reported(self, **wanted):
        """The next report with these values, or the last one."""
        while True:
            last = self.reports[-1] if self.reports else None
            if all(getattr(last, key, None) == value for key, value in wanted.items()):
                return last
            await self._next()

    async def _next(self):
        self._news.clear()
        async with asyncio.timeout(15):
            await self._news.wait()

    def _receipt(self, stamp, receipt):
        self.receipts.append((stamp, receipt))
        self._news.set()

    def _report(self, report):
        self.reports.append(report)
        self._news.set()


@pytest.fixture
def agent(daemon):
    return Agent(daemon)


@pytest.fixture
def another(daemon):
    """Makes the agent that comes after a restart."""
    return lambda: Agent(daemon)
