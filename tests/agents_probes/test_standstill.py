"""Checks of a process that stood still: what was asked before does not count, all is told anew."""

import asyncio

import msgspec
import pytest

from agents.advertising.observations import ServiceChecked
from agents.probes import checks
from agents.probes.hysteresis import Failed, Passed
from tests.agents_probes.test_checks import Answers

pytestmark = pytest.mark.looptime(start=1000)

FIT = ServiceChecked("www", True)


@pytest.fixture
def sleep_for(monkeypatch):
    """Makes the process stand still, as far as its checks can see."""
    found, slept = checks._Pulse.standstills, [0.0]
    monkeypatch.setattr(
        checks._Pulse, "standstills", lambda pulse, now: found(pulse, now + slept[0])
    )

    def sleep(seconds):
        slept[0] += seconds

    return sleep


async def test_a_verdict_is_told_again_after_the_first_check_since_the_standstill(sleep_for):
    async with Answers().running(1.0) as www:
        assert [told for _, told in www.told] == [FIT]
        sleep_for(1.1)
        await asyncio.sleep(0.31)
        assert [told for _, told in www.told] == [FIT, FIT]
        await asyncio.sleep(5)
        assert len(www.told) == 2, "once"


async def test_a_process_that_merely_limps_tells_nothing_again(sleep_for):
    async with Answers().running(1.0) as www:
        for _ in range(5):
            sleep_for(0.4)
            await asyncio.sleep(0.3)
        assert len(www.told) == 1


async def test_an_answer_that_was_asked_for_before_the_standstill_is_not_counted(sleep_for):
    async with Answers(delay=0.2).running(1.0) as www:
        assert [told for _, told in www.told] == [FIT]
        www.outcome = Failed("refused")
        await asyncio.sleep(0.15)
        sleep_for(20)
        www.outcome = Passed()
        await asyncio.sleep(0.3)
        assert [told for _, told in www.told] == [FIT, FIT], "and no doubt"


async def test_a_service_without_checks_is_told_again_too(sleep_for):
    www = Answers()
    www.checks._services = {"www": _unchecked(www.checks._services["www"])}
    async with www.running(1.0):
        assert [told for _, told in www.told] == [FIT]
        sleep_for(20)
        await asyncio.sleep(0.3)
        assert [told for _, told in www.told] == [FIT, FIT]


def _unchecked(service):
    return msgspec.structs.replace(service, checks=())
