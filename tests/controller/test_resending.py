"""A broker that comes back is told everything again, however thin the line to it is."""

from __future__ import annotations

import asyncio
import contextlib

import aiomqtt
import pytest

from ambicast.broker.settings import Broker
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Order
from ambicast.contract.topics import FromController, spell
from ambicast.model.identifiers import HostName, PopName
from controller.choreography.run import PublishOrder
from controller.fleet import bus as module
from controller.fleet.bus import CONFIRM_WITHIN, Bus
from controller.fleet.outbox import Outbox
from tests.choreography.fleets import three_pops

pytestmark = pytest.mark.looptime

HOSTS = 500
SIZE = 100_000
BEATS = spell("test", FromController())


class Line:
    """A broker behind a line of so many bytes a second, which breaks after ``lasts`` seconds."""

    def __init__(self, rate, lasts=1e9):
        self.rate, self.lasts = rate, lasts
        self.arrived, self.connections = [], 0
        self.free_at = 0.0

    def client(self, *_, **__):
        return self

    async def __aenter__(self):
        self.connections += 1
        self.free_at = asyncio.get_running_loop().time()
        self.ends = self.free_at + self.lasts
        return self

    async def __aexit__(self, *_):
        return None

    async def subscribe(self, *_):
        return None

    @property
    async def messages(self):
        await asyncio.sleep(self.ends - asyncio.get_running_loop().time())
        for never in ():
            yield never

    async def publish(self, topic, payload, **_):
        now = asyncio.get_running_loop().time()
        self.free_at = max(now, self.free_at) + len(payload) / self.rate
        if self.free_at - now > CONFIRM_WITHIN:
            await asyncio.sleep(CONFIRM_WITHIN)
            raise aiomqtt.MqttError("Operation timed out")
        await asyncio.sleep(self.free_at - now)
        self.arrived.append(topic)


@contextlib.asynccontextmanager
async def running(line, monkeypatch):
    monkeypatch.setattr(module, "client_of", line.client)
    bus = Bus(Broker("nowhere"), three_pops(), "one", lambda: 5.0, lambda _: None, 1)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bus.run(), name="bus")
        yield bus
        task.cancel()


def order(host, generation=1, size=SIZE):
    what = Order(advertisements=(), terminate=(), reason="x" * size)
    return PublishOrder(PopName("ams"), HostName(host), Stamp(1, generation), what)


def orders(line):
    return {topic for topic in line.arrived if topic != BEATS}


async def test_fifty_megabytes_over_a_thin_line_all_arrive_on_one_connection(monkeypatch):
    line = Line(rate=2_000_000)
    async with running(line, monkeypatch) as bus:
        for number in range(HOSTS):
            bus.send(order(f"h-{number}"))
        await asyncio.sleep(60)
    assert len(orders(line)) == HOSTS
    assert line.connections == 1


async def test_a_line_that_breaks_all_the_time_carries_everything_again_piece_by_piece(
    monkeypatch,
):
    line = Line(rate=2_000_000)
    async with running(line, monkeypatch) as bus:
        for number in range(HOSTS):
            bus.send(order(f"h-{number}"))
        await asyncio.sleep(60)
        line.lasts, line.ends = 5.0, 0.0
        line.arrived.clear()
        line.connections = 0
        # The connection of now is doubted: every one from here on is shorter than a resend.
        line.rate = 1_000
        bus.send(order("h-0", 2))
        await asyncio.sleep(CONFIRM_WITHIN + 1.5)
        line.rate = 2_000_000
        await asyncio.sleep(120)
    assert orders(line) >= {f"ambicast/v1/test/pops/ams/h-{each}/order" for each in range(HOSTS)}
    assert line.connections > 6


async def test_beats_and_a_new_order_do_not_wait_for_a_resend(monkeypatch):
    line = Line(rate=2_000_000)
    async with running(line, monkeypatch) as bus:
        for number in range(HOSTS):
            bus.send(order(f"h-{number}"))
        await asyncio.sleep(5)
        assert line.arrived[0] == BEATS
        assert len(orders(line)) < HOSTS / 2
        assert line.arrived.count(BEATS) >= 3


async def test_a_new_order_goes_before_what_is_only_said_again(monkeypatch):
    line = Line(rate=2_000_000, lasts=60.0)
    async with running(line, monkeypatch) as bus:
        for number in range(HOSTS):
            bus.send(order(f"h-{number}"))
        await asyncio.sleep(62)
        assert line.connections == 2
        line.arrived.clear()
        bus.send(order("fresh", 2, size=10))
        await asyncio.sleep(3)
    assert any("fresh" in topic for topic in line.arrived)


async def test_what_was_under_way_when_the_line_broke_goes_before_what_is_only_said_again():
    outbox = Outbox("beats")
    for topic in ("a", "b", "c"):
        outbox.put(topic, b"1")
        outbox.confirm(*await outbox.take())
    outbox.put("c", b"2")
    assert await outbox.take() == ("c", b"2")
    outbox.again()
    outbox.put("beats", b"")
    said = [await outbox.take() for _ in range(4)]
    assert said == [("beats", b""), ("c", b"2"), ("a", b"1"), ("b", b"1")]
