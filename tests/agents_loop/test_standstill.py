"""The loop notices that it stood still before anything else."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
import pytest

from agents.advertising.observations import ServiceChecked, Tick
from agents.probes.checks import Checks
from agents.wiring import kept_alive
from tests.agents_advertising.hosts import AMS, SERVICES
from tests.agents_loop.test_keeping import agent_of


@pytest.mark.parametrize(("gap", "judged"), [(1.5, {"www", "video"}), (2.5, set())])
def test_after_a_gap_no_service_is_judged_until_its_checks_speak(gap, judged):
    now = [1000.0]
    agent, watch, bgp, _ = agent_of(lambda: now[0])
    before = bgp.wanted[-1][1]
    now[0] += gap
    agent.step(Tick())
    assert set(agent.state.services) == judged
    assert watch.words[-1][0] == judged
    assert bgp.wanted[-1][1] == before, "what is advertised stays"
    agent.step(ServiceChecked("www", fit=True))
    assert "www" in agent.state.services


def test_a_verdict_that_ends_the_standstill_counts():
    now = [1000.0]
    agent, *_ = agent_of(lambda: now[0])
    now[0] += 30
    agent.step(ServiceChecked("video", fit=True))
    assert set(agent.state.services) == {"video"}


@pytest.mark.looptime(start=1000)
async def test_a_loop_that_failed_and_waited_has_its_services_judged_again():
    agent, *_ = agent_of(asyncio.get_running_loop().time)
    checks = Checks(SERVICES, AMS, agent.tell)
    agent._ports = msgspec.structs.replace(agent._ports, checks=checks)
    publish, left = agent.publish, [4]

    def fails_four_times():
        left[0] -= 1
        if left[0] >= 0:
            raise RuntimeError("planted")
        publish()

    agent.publish = fails_four_times
    async with asyncio.TaskGroup() as tasks:
        parts = [
            tasks.create_task(checks.run()),
            tasks.create_task(kept_alive("loop", agent.run, Counter())),
        ]
        await asyncio.sleep(120)
        assert left[0] < 0
        assert set(agent.state.services) == {"www", "video"}
        assert agent.state.serving.waking == {}
        for part in parts:
            part.cancel()
