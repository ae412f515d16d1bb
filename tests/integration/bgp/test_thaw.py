"""A whole agent that is frozen over a dead service, and thaws: its routes do not come back."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import KernelSeen, OrderArrived, ServiceChecked
from agents.advertising.state import Facts, HostState
from agents.bgp.session import Bgp
from agents.loop import Agent, Ports
from ambicast.model.fleet import Timing
from ambicast.model.services import Check, CheckKind
from tests.agents_advertising.hosts import ALLOW, ANYCAST, FLEET, OWN, order, stamp, told, watched
from tests.behaviour.exabgp.neighborhood import POP

FROZEN = 4.0
NOBODY_LISTENS = Check(CheckKind.TCP, 9, interval=0.1, fast_interval=0.1)


class Silent:
    """Every port but BGP."""

    def __getattr__(self, name):
        return lambda *_: None


def facts() -> Facts:
    service = msgspec.structs.replace(FLEET.services["www"], checks=(NOBODY_LISTENS,))
    pop = msgspec.structs.replace(POP, name="ams", prefixes=(OWN,))
    fleet = msgspec.structs.replace(
        FLEET,
        pops={**FLEET.pops, "ams": pop},
        services={"www": service},
        timing=Timing(deadman=1.0),
    )
    return Facts(fleet, pop, "ams-1", ALLOW, ServiceTable(fleet), "run", unix=1e9)


@pytest.fixture
async def agent(running):
    """Told by its checks that all is well, and by another PoP that it is fit."""
    clock, known = asyncio.get_running_loop().time, facts()

    def tell(seen):
        agent.tell(seen)

    bgp = Bgp(running.bridge, known.pop, 64500, tell)
    agent = Agent(known, Ports(bus=Silent(), orders=Silent(), bgp=bgp), clock, HostState())
    agent.tell(OrderArrived(stamp(1), order(ANYCAST)))
    there = frozenset(known.fleet.service_addresses())
    agent.tell(KernelSeen(there, {"north": True, "south": True}, {}))
    agent.tell(ServiceChecked("www", fit=True))

    async def listen():
        while True:
            agent.tell(watched(told={"fra-1": told("fra", clock(), "www")}))
            await asyncio.sleep(0.25)

    async with asyncio.TaskGroup() as tasks:
        parts = [tasks.create_task(each) for each in (agent.run(), bgp.run(), listen())]
        yield agent
        for part in parts:
            part.cancel()


async def test_what_the_switch_withdrew_comes_back_when_the_checks_say_so(running, agent):
    bird = running.bird
    await bird.until(lambda b: b.routes("north_v4") == b.routes("south_v4") == {ANYCAST})
    await asyncio.sleep(1.5)  # heartbeats
    time.sleep(FROZEN)  # noqa: ASYNC251 - the agent stands still
    await bird.until(lambda b: not b.routes("north_v4") | b.routes("south_v4"))
    began = len(bird.changes)
    await asyncio.sleep(2)
    assert [each for each in bird.changes[began:] if "added" in each] == []
    assert not bird.routes("north_v4") | bird.routes("south_v4")
    agent.tell(ServiceChecked("www", fit=True))
    await bird.until(lambda b: b.routes("north_v4") == b.routes("south_v4") == {ANYCAST})
