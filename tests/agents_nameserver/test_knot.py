"""The loop around a server that is a stand-in: what is owed, fenced, repeated and reported."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from agents.answering.acceptance import Held
from agents.answering.generation import Generation
from agents.nameserver.control import ControlUnreachableError
from agents.nameserver.examiner import ExaminationError
from agents.nameserver.knot import Nameserver
from agents.nameserver.server import MapRejectedError
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome
from tests.agents_answering.worlds import AMS, LHR, client_map, fleet, steering

pytestmark = pytest.mark.looptime


class StandIn:
    """A server that takes ``work`` seconds per round and fails with the faults it is given."""

    def __init__(self):
        self.generation = Generation()
        self.map = Held()
        self.has_map = True
        self.faults = []
        self.rounds = []
        self.opened = 0
        self.known = False
        self.work = 0.01

    def forget(self):
        self.known = False

    async def open(self):
        if not self.known:
            self.opened += 1
        self.known = True

    async def converge(self, wanted):
        self.rounds.append(wanted)
        await asyncio.sleep(self.work)
        if self.faults:
            raise self.faults.pop(0)
        self.generation = Generation(wanted.steering.stamp, wanted.map.stamp)
        self.map = wanted.map
        return 3


class Desk:
    """A nameserver that runs over a stand-in, and everything it told."""

    def __init__(self):
        self.receipts, self.reports = [], []
        self.nameserver = Nameserver(
            fleet(),
            "ams",
            socket=Path("/nowhere/knot.sock"),
            directory=Path("/nowhere"),
            instance="test",
            tell_receipt=lambda stamp, receipt: self.receipts.append((stamp, receipt)),
            tell_report=self.reports.append,
        )
        self.server = self.nameserver._server = StandIn()

    @contextlib.asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.nameserver.run(), name="nameserver")
            yield
            task.cancel()

    def told(self):
        return [(stamp, receipt.outcome, receipt.answers_to) for stamp, receipt in self.receipts]


@pytest.fixture
def desk():
    return Desk()


async def test_a_receipt_is_given_after_the_proof_and_not_before(desk):
    async with desk.running():
        await asyncio.sleep(0.1)
        desk.nameserver.steer(Stamp(1, 1), steering(c1=AMS))
        await asyncio.sleep(0.009)
        assert desk.receipts == []
        await asyncio.sleep(0.01)
    assert desk.told() == [(Stamp(1, 1), Outcome.ACCEPTED, "steering")]
    assert desk.receipts[0][1].proven == 3


async def test_of_messages_that_arrive_together_only_the_newest_is_applied(desk):
    async with desk.running():
        await asyncio.sleep(0.1)
        before = len(desk.server.rounds)
        for generation in (1, 2, 3):
            desk.nameserver.steer(Stamp(1, generation), steering(c1=AMS))
        await asyncio.sleep(0.05)
        assert [each.steering.stamp for each in desk.server.rounds[before:]] == [Stamp(1, 3)]
    assert desk.told() == [
        (Stamp(1, 1), Outcome.REFUSED, "steering"),
        (Stamp(1, 2), Outcome.REFUSED, "steering"),
        (Stamp(1, 3), Outcome.ACCEPTED, "steering"),
    ]
    assert desk.receipts[0][1].refusals == ("superseded by 1.3",)


async def test_what_arrives_during_a_round_is_done_in_the_next_one(desk):
    async with desk.running():
        await asyncio.sleep(0.1)
        desk.nameserver.steer(Stamp(1, 1), steering(c1=AMS))
        await asyncio.sleep(0.005)
        desk.nameserver.steer(Stamp(1, 2), steering(c1=LHR))
        await asyncio.sleep(0.02)
    accepted = [stamp for stamp, outcome, _ in desk.told() if outcome is Outcome.ACCEPTED]
    assert accepted == [Stamp(1, 1), Stamp(1, 2)]


async def test_an_older_message_is_refused_at_once(desk):
    desk.nameserver.steer(Stamp(2, 1), steering(c1=AMS))
    desk.nameserver.steer(Stamp(1, 9), steering(c1=LHR))
    assert desk.told() == [(Stamp(1, 9), Outcome.REFUSED, "steering")]


async def test_what_the_zone_holds_from_before_a_restart_is_not_replaced_by_older(desk):
    desk.server.generation = Generation(steering=Stamp(5, 5))
    desk.nameserver.steer(Stamp(5, 4), steering(c1=AMS))
    async with desk.running():
        await asyncio.sleep(0.1)
        desk.nameserver.steer(Stamp(5, 3), steering(c1=AMS))
    assert [outcome for _, outcome, _ in desk.told()] == [Outcome.REFUSED] * 2
    assert all(each.steering == Held(Stamp(5, 5)) for each in desk.server.rounds)


async def test_after_any_failure_everything_is_read_again_and_the_receipt_comes_later(desk):
    desk.server.faults = [ExaminationError("wrong"), ControlUnreachableError("gone")]
    desk.nameserver.steer(Stamp(1, 1), steering(c1=AMS))
    async with desk.running():
        await asyncio.sleep(0.5)
    assert desk.server.opened == 3
    assert desk.told() == [(Stamp(1, 1), Outcome.ACCEPTED, "steering")]
    assert [report.running for report in desk.reports] == [False, False, True]
    assert [report.detail for report in desk.reports] == ["wrong", "gone", ""]


async def test_a_rejected_map_is_refused_and_the_former_one_stays(desk):
    async with desk.running():
        desk.nameserver.map(Stamp(1, 1), client_map())
        await asyncio.sleep(0.1)
        desk.server.faults = [MapRejectedError("knot rejects the map: why")]
        desk.nameserver.map(Stamp(1, 2), client_map(c9=("10.0.0.0/8",)))
        await asyncio.sleep(0.1)
    assert desk.told() == [
        (Stamp(1, 1), Outcome.ACCEPTED, "map"),
        (Stamp(1, 2), Outcome.REFUSED, "map"),
    ]
    assert desk.server.rounds[-1].map.stamp == Stamp(1, 1)
    assert desk.server.rounds[-1].map.body == client_map()


async def test_a_report_is_told_on_change_only_and_says_what_is_answered(desk):
    async with desk.running():
        await asyncio.sleep(10)
        assert len(desk.reports) == 1
        desk.nameserver.steer(Stamp(4, 2), steering(c1=AMS))
        await asyncio.sleep(10)
    assert len(desk.reports) == 2
    assert (desk.reports[-1].steering_epoch, desk.reports[-1].steering_generation) == (4, 2)


async def test_a_server_without_its_geo_module_is_reported(desk):
    desk.server.has_map = False
    async with desk.running():
        await asyncio.sleep(0.1)
    assert "no client map is live" in desk.reports[0].detail


async def test_the_server_is_looked_at_every_second_and_read_every_thirty(desk):
    async with desk.running():
        await asyncio.sleep(90)
    assert 85 <= len(desk.server.rounds) <= 91
    assert desk.server.opened == 3
