"""What was done without an order outlives the agent."""

from __future__ import annotations

import asyncio

import pytest

from agents.advertising.accept import Held
from agents.advertising.observations import BfdSeen
from agents.loop import Agent, Ports
from agents.orders.storage import Kept, OrderStorage
from agents.wiring import restored
from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import split
from tests.agents_advertising.hosts import FACTS, OWN, Host, order, stamp, watched

HALVES = split(OWN, 1)
DEED = Deed(kind=DeedKind.SPLIT, about="north", prefixes=HALVES, since=FACTS.unix + 5.0)
HELD = Held(stamp(3), order(OWN))


@pytest.fixture
def storage(tmp_path):
    return OrderStorage(tmp_path)


def test_deeds_are_there_after_a_restart(storage):
    storage.start(1.0)
    storage.keep_deeds((DEED,))
    assert storage.start(2.0) == Kept(deeds=(DEED,))
    storage.keep_deeds(())
    assert storage.start(3.0) == Kept()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        b'[{"kind": "cover"}]',
        b'[{"kind": "?", "about": "x", "prefixes": []}]',
        b'[{"kind": "cover", "about": "x", "prefixes": ["198.18.0.1/22"]}]',
    ],
)
def test_deeds_that_make_no_sense_are_none(storage, tmp_path, content):
    (tmp_path / "deeds.json").write_bytes(content)
    storage.keep(HELD)
    assert storage.start(1.0) == Kept(HELD)


def test_a_disk_that_refuses_is_no_reason_to_stop(storage, tmp_path):
    storage.start(1.0)
    (tmp_path / "deeds.draft").mkdir()
    storage.keep_deeds((DEED,))
    assert storage.start(2.0).deeds == ()


def test_restored_deeds_hold_at_once_and_since_when_they_did():
    state = restored(Kept(HELD, deeds=(DEED,)), FACTS, 100.0)
    assert [(each.prefixes, each.since) for each in state.deeds] == [(HALVES, 5.0)]


def test_restored_deeds_the_kept_order_took_over_are_not():
    ordered = Held(stamp(4), order(OWN, *HALVES))
    assert restored(Kept(ordered, deeds=(DEED,)), FACTS, 100.0).deeds == ()


def test_without_an_order_they_wait():
    state = restored(Kept(deeds=(DEED,)), FACTS, 100.0)
    assert [each.prefixes for each in state.deeds] == [HALVES]


class Silent:
    """Every port; notes what BGP was told and what was kept, in order."""

    def __init__(self):
        self.pages = []

    def __getattr__(self, name):
        return lambda *_: None

    def want(self, *wanted):
        self.pages.append(("want", wanted[0]))

    def keep_deeds(self, done):
        self.pages.append(("deeds", done))


@pytest.fixture
def watching():
    """Healthy, with a watch to be believed."""
    host = Host.healthy(OWN)
    host.wait(1.0)
    host.tell(watched())
    host.obey()
    return host


def test_bgp_is_told_first_and_the_disk_next(watching):
    ports = Silent()
    agent = Agent(
        FACTS, Ports(bus=ports, orders=ports, bgp=ports), lambda: watching.now, watching.state
    )
    agent.step(BfdSeen({"north": {Family.V4: True}}))
    ports.pages.clear()
    agent.step(BfdSeen({"north": {Family.V4: False}}))
    (first, wanted), (second, done) = ports.pages
    assert (first, second) == ("want", "deeds")
    assert {each.prefix for each in wanted} == {OWN, *HALVES}
    assert done[0].since == pytest.approx(watching.now + FACTS.unix)


@pytest.mark.looptime
async def test_a_silence_is_acted_upon_when_it_is_due_and_not_at_the_next_tick(watching):
    loop, ports = asyncio.get_running_loop(), Silent()
    begun = loop.time() - watching.now
    agent = Agent(
        FACTS,
        Ports(bus=ports, orders=ports, bgp=ports),
        lambda: loop.time() - begun,
        watching.state,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(agent.run(), name="agent")
        await asyncio.sleep(0.01)
        agent.tell(watched(north=False))
        await asyncio.sleep(0.29)
        assert agent.state.deeds == ()
        await asyncio.sleep(0.02)
        assert len(agent.state.deeds) == 1
        running.cancel()


async def test_after_a_standstill_what_arrived_comes_before_what_is_due(watching, monkeypatch):
    """A timer and the watch are both due; the watch may say that it stood still."""
    ports, paused = Silent(), watched(north=False, paused=True)
    agent = Agent(FACTS, Ports(bus=ports, orders=ports), lambda: watching.now, watching.state)
    monkeypatch.setattr(agent, "_patience", lambda: 0.0)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(agent._next(), name="next")
        asyncio.get_running_loop().call_soon(agent.tell, paused)
    assert asked.result() is paused


def test_deeds_of_another_boot_are_none(storage, monkeypatch):
    """The host went, and its routes with it; what they were for may be long over."""
    storage.start(1.0)
    storage.keep_deeds((DEED,))
    monkeypatch.setattr(storage, "_boot", "another")
    assert storage.start(2.0).deeds == ()
