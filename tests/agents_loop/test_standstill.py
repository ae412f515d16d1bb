"""The loop notices that it stood still before anything else."""

from __future__ import annotations

import pytest

from agents.advertising.observations import ServiceChecked, Tick
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
