"""Runs every check of every service on this host and tells each change of verdict, and of doubt.

The first failing check of a fit service is told at once as *doubt*: it withdraws nothing, but
other hosts hear of it before they give up their own, and so many that fail together find out.

A process that stood still (:class:`_Pulse`) knows nothing of the time between: what was asked
before is not counted, and every verdict is told again: *unfit* once a check has ended since, *fit*
once every check has. A service of two checks may have lost either meanwhile.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from agents.advertising.observations import ServiceChecked
from agents.probes import asking
from agents.probes.hysteresis import Outcome, Standing, Verdict, due, fold, verdict
from ambicast.model.identifiers import ServiceName
from ambicast.model.pops import Pop
from ambicast.model.services import Check, Service

# Timers are no finer; without it a check that is due in a nanosecond would be waited for in vain.
TIMER = 0.001
# How often a process that runs proves it to itself, and the longest gap of one that does.
BEAT = 0.25
LONGEST_GAP = 0.75

Tell = Callable[[ServiceChecked], None]
Ask = Callable[[Service, Check], Awaitable[Outcome]]


class Checks:
    """The checks of one host."""

    def __init__(
        self,
        services: Mapping[ServiceName, Service],
        pop: Pop,
        tell: Tell,
        *,
        tls: ssl.SSLContext | None = None,
        ask: Ask | None = None,
    ) -> None:
        """``tls`` verifies HTTPS services; by default against the system's authorities."""
        trusted = tls or ssl.create_default_context()
        self._services = services
        self._tell = tell
        self._ask = ask or partial(asking.ask, tls=trusted)
        self._pulse: _Pulse | None = None

    def tell_again(self) -> None:
        """As after a standstill: whoever listens has forgotten, or did not listen for a while."""
        if self._pulse is not None:
            self._pulse.stood_still()

    async def run(self) -> None:
        """Check until cancelled."""
        self._pulse = pulse = _Pulse(asyncio.get_running_loop().time())
        everything = [_Judged(each, self._tell, pulse) for each in self._services.values()]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pulse.beat(everything), name="checks' pulse")
            for judged in everything:
                service = judged.service
                for number, check in enumerate(service.checks):
                    line = _Line(judged, number, check, self._ask)
                    tasks.create_task(line.run(), name=f"check {service.name} {number}")


class _Pulse:
    """Counts standstills; whoever looks first after one finds it."""

    def __init__(self, now: float) -> None:
        self._last, self._count = now, 0

    def standstills(self, now: float) -> int:
        """How many there have been."""
        self._count += now - self._last > LONGEST_GAP
        self._last = now
        return self._count

    def stood_still(self) -> None:
        """Others found that it did, or that what it told was lost."""
        self._count += 1

    async def beat(self, everything: list[_Judged]) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(BEAT)
            self.standstills(clock())
            for each in everything:
                each.look_unchecked(clock())


class _Judged:
    """One service: its checks' standings and what was told of it."""

    def __init__(self, service: Service, tell: Tell, pulse: _Pulse) -> None:
        self.service, self.pulse = service, pulse
        self._tell = tell
        self._told_in = 0
        self._standings = [Standing() for _ in service.checks]
        self._ended_in = [0 for _ in service.checks]
        self._told: Verdict | None = None
        self._look(0)

    def standing(self, number: int) -> Standing:
        return self._standings[number]

    def put(self, number: int, standing: Standing, standstills: int) -> None:
        self._standings[number], self._ended_in[number] = standing, standstills
        self._look(standstills)

    def look_unchecked(self, now: float) -> None:
        """A service without checks has nobody else to tell it again."""
        if not self._standings:
            self._look(self.pulse.standstills(now))

    def _look(self, standstills: int) -> None:
        """Tell the first verdict, and whatever turns it or its doubt; a new reason is no news."""
        now, told = verdict(self._standings), self._told
        if now is None:
            return
        same = told is not None and (now.fit, now.doubt) == (told.fit, told.doubt)
        if same and standstills == self._told_in:
            return
        if now.fit and any(ended != standstills for ended in self._ended_in):
            return
        self._told, self._told_in = now, standstills
        self._tell(ServiceChecked(self.service.name, now.fit, now.detail, now.doubt))


class _Line:
    """One check of one service, again and again; several may be on their way at once."""

    def __init__(self, judged: _Judged, number: int, check: Check, ask: Ask) -> None:
        self._judged = judged
        self._number = number
        self._check = check
        self._ask = ask
        self._started = 0.0
        self._pending = 0
        self._ended = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._started = loop.time()
                self._pending += 1
                tasks.create_task(self._once(), name=f"asking {self._judged.service.name}")
                await self._until_due(loop)

    async def _once(self) -> None:
        clock, pulse = asyncio.get_running_loop().time, self._judged.pulse
        began = pulse.standstills(clock())
        try:
            outcome = await self._ask(self._judged.service, self._check)
        finally:
            self._pending -= 1
        standstills = pulse.standstills(clock())
        if standstills == began:
            standing = fold(self._judged.standing(self._number), outcome, self._check)
            self._judged.put(self._number, standing, standstills)
        self._ended.set()

    async def _until_due(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait; every outcome may bring the next check nearer, or put it off."""
        while True:
            self._ended.clear()
            standing = self._judged.standing(self._number)
            at = due(standing, self._started, self._pending, self._check)
            if at is not None and at <= loop.time() + TIMER:
                return
            try:
                async with asyncio.timeout_at(at):
                    await self._ended.wait()
            except TimeoutError:
                pass
