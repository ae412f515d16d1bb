"""Checks of a process that stood still: what was asked before does not count, all is told anew."""

import asyncio

import msgspec
import pytest

from agents.advertising.observations import ServiceChecked
from agents.probes import checks
from agents.probes.hysteresis import Failed, Passed
from ambicast.model.services import CheckKind
from tests.agents_probes.test_checks import CHECK, Answers

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


async def test_a_verdict_is_told_again_to_one_who_asks():
    async with Answers().running(1.0) as www:
        www.checks.tell_again()
        await asyncio.sleep(5)
        assert [told for _, told in www.told] == [FIT, FIT], "once"


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


class Halves(Answers):
    """A service of two checks; one of them may hang while the other passes."""

    def __init__(self):
        super().__init__(CHECK, msgspec.structs.replace(CHECK, kind=CheckKind.TCP))
        self.hangs = False

    async def _ask(self, service, check):
        if check.kind is CheckKind.HTTP and self.hangs:
            await asyncio.sleep(check.timeout)
            return Failed("timeout")
        return await super()._ask(service, check)


async def test_of_two_checks_both_must_have_ended_before_a_service_is_told_fit_again(sleep_for):
    async with Halves().running(5.05) as www:
        sleep_for(40)
        www.hangs = True
        await asyncio.sleep(3)
        after = [(told.fit, told.doubt) for _, told in www.told[1:]]
        assert (True, False) not in after
        assert after[-1] == (False, False)


async def test_where_both_pass_it_is_told_fit_once(sleep_for):
    async with Halves().running(5.05) as www:
        sleep_for(40)
        await asyncio.sleep(3)
        assert [told for _, told in www.told] == [FIT, FIT]


async def test_one_check_that_had_failed_is_enough_to_be_told_unfit_again(sleep_for):
    async with Halves().running(5.05) as www:
        www.hangs = True
        await asyncio.sleep(3)
        told = len(www.told)
        assert not www.told[-1][1].fit
        began = www._now()
        sleep_for(40)
        await asyncio.sleep(3)
        assert [each.fit for _, each in www.told[told:]] == [False]
        assert www.told[-1][0] - began <= 0.31, "at once: the other check has ended"


def _unchecked(service):
    return msgspec.structs.replace(service, checks=())
