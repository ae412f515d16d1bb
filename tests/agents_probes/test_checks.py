"""When checks start and what is told, in virtual time with made-up answers."""

import asyncio
import contextlib

import pytest

from agents.advertising.observations import ServiceChecked
from agents.probes.checks import Checks
from agents.probes.hysteresis import Failed, Passed
from ambicast.model.services import Anycast, Check, CheckKind, Service
from tests.agents_watch.fleets import pop_of

pytestmark = pytest.mark.looptime(start=1000)

CHECK = Check(CheckKind.HTTP, 80, interval=0.3, fast_interval=0.1, timeout=0.25, rise=3, fall=3)


class Answers:
    """A service that answers after ``delay`` with ``outcome``, or hangs until the timeout."""

    def __init__(self, *checks, outcome=Passed(), delay=0.002):  # noqa: B008 - frozen
        self.outcome, self.delay = outcome, delay
        self.started, self.told = [], []
        service = Service("www", (), Anycast({}, ()), 10, checks or (CHECK,))
        self.checks = Checks({"www": service}, pop_of(1, "ams"), self._tell, ask=self._ask)

    def _now(self):
        return round(asyncio.get_running_loop().time() - 1000, 3)

    def _tell(self, checked):
        self.told.append((self._now(), checked))

    async def _ask(self, service, check):
        self.started.append(self._now())
        delay, outcome = self.delay, self.outcome
        if delay is None or delay > check.timeout:
            delay, outcome = check.timeout, Failed("timeout")
        await asyncio.sleep(delay)
        return outcome

    @contextlib.asynccontextmanager
    async def running(self, until):
        """Until this instant after the start."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.checks.run())
            await asyncio.sleep(until - self._now())
            yield self
            task.cancel()


async def test_the_first_verdict_comes_after_rise_successes_at_the_fast_interval():
    async with Answers().running(1.0) as www:
        assert www.told == [(0.202, ServiceChecked("www", True))]
        assert www.started == [0.0, 0.1, 0.2, 0.5, 0.8]


async def test_or_after_fall_failures():
    async with Answers(outcome=Failed("refused")).running(1.0) as www:
        assert www.told == [(0.202, ServiceChecked("www", False, "refused"))]


@pytest.mark.parametrize("phase", [0.51, 0.55, 0.6, 0.7, 0.79])
async def test_a_failure_is_told_within_interval_and_two_fast_intervals(phase):
    async with Answers().running(phase) as www:
        www.outcome = Failed("http 503")
        await asyncio.sleep(0.3 + 2 * 0.1 + 0.003)
        at, checked = www.told[-1]
        assert checked == ServiceChecked("www", False, "http 503")
        assert at == 1.002


async def test_a_hang_is_told_one_timeout_later_because_checks_do_not_wait_for_each_other():
    async with Answers().running(0.6) as www:
        www.delay = None
        await asyncio.sleep(1.4)
        assert www.told[-1] == (1.25, ServiceChecked("www", False, "timeout"))
        assert www.started[4:7] == [0.8, 0.9, 1.0]


async def test_a_service_that_is_slow_but_in_time_stays_fit():
    async with Answers(delay=0.24).running(10) as www:
        assert [checked.fit for _, checked in www.told] == [True]


async def test_one_failure_turns_nothing_and_is_asked_again_soon():
    async with Answers().running(0.79) as www:
        www.outcome = Failed("refused")
        await asyncio.sleep(0.05)
        www.outcome = Passed()
        await asyncio.sleep(1)
        assert all(checked.fit for _, checked in www.told)
        assert www.started[4:7] == [0.8, 0.9, 1.2]


async def test_recovery_is_told_after_rise_successes():
    async with Answers(outcome=Failed("refused")).running(0.51) as www:
        www.outcome = Passed()
        await asyncio.sleep(1)
        assert www.told[-1] == (1.002, ServiceChecked("www", True))


async def test_a_hang_never_piles_up_checks_beyond_a_verdict():
    patient = Check(CheckKind.HTTP, 80, timeout=10.0)
    async with Answers(patient).running(0.6) as www:
        www.delay = None
        await asyncio.sleep(9)
        assert len(www.started) == 4 + 3


async def test_one_of_two_checks_makes_a_service_unfit_and_the_reason_alone_is_no_news():
    async with Answers(CHECK, CHECK).running(1.0) as www:
        www.outcome = Failed("refused")
        await asyncio.sleep(1)
        www.outcome = Failed("timeout")
        await asyncio.sleep(1)
        certain = [checked.fit for _, checked in www.told if not checked.doubt]
        assert certain == [True, False]


async def test_the_first_failing_check_is_told_as_doubt_and_so_is_its_end():
    async with Answers().running(0.79) as www:
        www.outcome = Failed("refused")
        await asyncio.sleep(0.05)
        www.outcome = Passed()
        await asyncio.sleep(1)
        doubted = ServiceChecked("www", True, doubt=True)
        assert www.told[1:] == [(0.802, doubted), (0.902, ServiceChecked("www", True))]


@pytest.mark.parametrize(("delay", "first"), [(0.002, 0.802), (None, 1.05)])
async def test_doubt_comes_two_fast_intervals_before_the_verdict_however_it_fails(delay, first):
    async with Answers().running(0.79) as www:
        www.outcome, www.delay = Failed("http 503"), delay
        await asyncio.sleep(1)
        (doubt_at, doubt), (judged_at, judged) = www.told[1:]
        assert (doubt.fit, doubt.doubt, judged.fit, judged.doubt) == (True, True, False, False)
        assert doubt_at == first
        assert round(judged_at - doubt_at, 3) == 0.2


async def test_doubt_of_one_check_is_told_once_while_another_fails_too():
    async with Answers(CHECK, CHECK).running(0.79) as www:
        www.outcome = Failed("refused")
        await asyncio.sleep(0.15)
        assert [checked.doubt for _, checked in www.told] == [False, True]


async def test_a_service_that_never_passed_is_not_doubted_but_unfit():
    async with Answers(outcome=Failed("refused")).running(1.0) as www:
        assert not any(checked.doubt for _, checked in www.told)


async def test_a_service_without_checks_is_fit_at_once():
    service = Service("www", (), Anycast({}, ()), 10, ())
    told = []
    checks = Checks({"www": service}, pop_of(1, "ams"), told.append)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await checks.run()
    assert told == [ServiceChecked("www", True)]
