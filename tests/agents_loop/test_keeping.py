"""What the loop does with keeping: it says it, keeps it, and looks again in time."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import ServiceChecked, Tick
from agents.loop import Agent, Ports
from ambicast.model.services import Check, CheckKind
from tests.agents_advertising.hosts import ANYCAST, FACTS, FLEET, OWN, Host, told, watched


class Watch:
    """Writes down every word."""

    def __init__(self) -> None:
        self.words = []

    def observe(self, prefixes):
        pass

    def declare(self, fit, offers=frozenset(), keeps=frozenset()):
        self.words.append((fit, offers, keeps))


class Bgp:
    def __init__(self, clock) -> None:
        self.wanted, self._clock = [], clock

    def want(self, advertisements):
        self.wanted.append((self._clock(), {each.prefix for each in advertisements}))

    def guard(self, guard):
        pass


class Quiet:
    """Every other port; ``kept`` are the records of failures."""

    def __init__(self) -> None:
        self.kept = []

    def keep(self, record):
        self.kept.append(record)

    def __getattr__(self, name):
        return lambda *_: None


def agent_of(clock, facts=FACTS, **fields):
    host = Host.healthy(OWN, ANYCAST, **fields)
    watch, bgp, falls = Watch(), Bgp(clock), Quiet()
    ports = Ports(bus=Quiet(), orders=Quiet(), bgp=bgp, watch=watch, falls=falls)
    agent = Agent(facts, ports, clock, host.state)
    agent.step(Tick())
    return agent, watch, bgp, falls


def test_a_doubt_an_offer_and_a_role_are_said_at_once():
    agent, watch, _, _ = agent_of(lambda: 1000.0, keepers={ANYCAST: "ams"})
    assert watch.words == [({"www", "video"}, set(), {ANYCAST})]
    agent.step(ServiceChecked("www", fit=True, doubt=True))
    assert watch.words[-1] == ({"video"}, {ANYCAST}, set())
    agent.step(ServiceChecked("www", fit=True))
    assert watch.words[-1] == ({"www", "video"}, set(), {ANYCAST})


def test_failures_are_kept_when_they_change_and_only_then():
    agent, _, _, falls = agent_of(lambda: 1000.0)
    agent.step(ServiceChecked("www", fit=True, doubt=True))
    agent.step(Tick())
    assert falls.kept == []
    agent.step(ServiceChecked("www", fit=False))
    agent.step(Tick())
    assert [record["www"].at for record in falls.kept] == [(1000.0 + FACTS.unix,)]


@pytest.mark.looptime(start=1000)
async def test_a_lazily_checked_service_is_withdrawn_when_it_is_certain_and_not_at_the_next_tick():
    check = Check(CheckKind.HTTP, 80, interval=0.3, fast_interval=0.1)
    services = {
        name: msgspec.structs.replace(service, checks=(check,))
        for name, service in FLEET.services.items()
    }
    fleet = msgspec.structs.replace(FLEET, services=services)
    facts = msgspec.structs.replace(FACTS, fleet=fleet, table=ServiceTable(fleet))
    loop = asyncio.get_running_loop()
    agent, _, bgp, _ = agent_of(loop.time, facts)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(agent.run(), name="agent")
        agent.tell(watched(told={"fra-1": told("fra", loop.time(), "www", "video")}))
        agent.tell(ServiceChecked("www", fit=True, doubt=True))
        await asyncio.sleep(0.2)
        agent.tell(ServiceChecked("www", fit=False))
        await asyncio.sleep(0.5)
        running.cancel()
    gone = [at for at, prefixes in bgp.wanted if ANYCAST not in prefixes]
    assert 1000.3 <= gone[0] <= 1000.41
