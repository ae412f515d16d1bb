"""Keeps the kernel as it is wanted, whatever others do to it, and tells what it holds.

Every wake-up (a new want, an event, five seconds) looks at everything: dump, compare, repair,
dump again. Events only say *that* something happened; when too many came at once and the kernel
drops some (``ENOBUFS``), both sockets are opened anew and everything is dumped again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

import structlog
from pyroute2 import AsyncIPRoute  # type: ignore[import-untyped]
from pyroute2.netlink import rtnl  # type: ignore[import-untyped]
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

from agents.advertising.observations import KernelSeen
from agents.netlink.carrier import CarrierLine
from agents.netlink.dialogue import Dialogue
from agents.netlink.repairs import Present, Wanted, repairs, urgent
from ambicast.model.identifiers import Family
from ambicast.model.pops import Pop
from ambicast.model.prefixes import address, contains

CARRIER_EVERY = 0.03
LOOK_EVERY = 5.0
RETRY = 0.5
# Events come in flocks (and our own changes cause some): one look for all of them.
FLOCK = 0.02

GROUPS = (
    rtnl.RTMGRP_LINK
    | rtnl.RTMGRP_IPV4_IFADDR
    | rtnl.RTMGRP_IPV6_IFADDR
    | rtnl.RTMGRP_IPV4_ROUTE
    | rtnl.RTMGRP_IPV6_ROUTE
    | rtnl.RTMGRP_IPV4_RULE
    | rtnl.RTMGRP_IPV6_RULE
)

log = structlog.get_logger()


class Kernel:
    """Service addresses, policy routing, default routes and carrier of one PoP host."""

    def __init__(
        self, pop: Pop, steered: Iterable[str], tell: Callable[[KernelSeen], None]
    ) -> None:
        """``steered`` prefixes say which addresses on ``lo`` are ours to own."""
        self._pop = pop
        self._steered = tuple(steered)
        self._tell = tell
        self._wanted = Wanted()
        self._present: Present | None = None
        self._carrier: dict[str, bool] = {}
        self._told: KernelSeen | None = None
        self._refused: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._happened = asyncio.Event()

    def want(self, addresses: frozenset[str] | None, uplinks: Mapping[Family, str]) -> None:
        """The whole set of addresses to terminate (none: hands off), and the way out per family.

        Addresses outside every steered prefix are left out: they are not ours.
        """
        if addresses is not None:
            canonical = (str(address(each)) for each in addresses)
            addresses = frozenset(each for each in canonical if self._owned(each))
        wanted = Wanted(addresses, dict(uplinks))
        if wanted != self._wanted:
            self._wanted = wanted
            self._wake.set()

    async def run(self) -> None:
        """Keep the kernel so until cancelled; what it holds then stays (fail static)."""
        with CarrierLine() as line:
            self._carrier = self._look_at_carrier(line)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch_carrier(line), name="netlink carrier")
                tasks.create_task(self._keep_patiently(), name="netlink keep")

    async def _keep_patiently(self) -> None:
        while True:
            try:
                async with AsyncIPRoute() as questions, AsyncIPRoute() as events:
                    await events.bind(groups=GROUPS)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._listen(events), name="netlink events")
                        tasks.create_task(self._flock(), name="netlink flock")
                        tasks.create_task(self._keep(questions), name="netlink repairs")
            except* (OSError, NetlinkError) as faults:
                log.warning("netlink opened anew", reason=str(faults.exceptions[0]))
            await asyncio.sleep(RETRY)

    async def _listen(self, events: AsyncIPRoute) -> None:
        while True:
            async for _ in events.get():
                self._happened.set()

    async def _flock(self) -> None:
        while True:
            await self._happened.wait()
            await asyncio.sleep(FLOCK)
            self._happened.clear()
            self._wake.set()

    async def _keep(self, questions: AsyncIPRoute) -> None:
        dialogue = Dialogue(questions, self._owned)
        while True:
            self._wake.clear()
            await self._hurry(dialogue)
            self._present = await dialogue.read()
            if await self._repair(dialogue, self._present):
                self._present = await dialogue.read()
            self._tell_change()
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _hurry(self, dialogue: Dialogue) -> None:
        """Move the default route by what was seen last: a dump takes as long as finding out.

        Whatever comes of it, the look that follows repairs it, and tells what is refused.
        """
        if self._present is None:
            return
        for change in urgent(repairs(self._pop, self._wanted, self._present)):
            with contextlib.suppress(NetlinkError):
                await dialogue.apply(change)

    async def _repair(self, dialogue: Dialogue, present: Present) -> bool:
        """Whether anything had to be done. What the kernel refuses is tried at the next look."""
        changes = repairs(self._pop, self._wanted, present)
        refused: dict[str, str] = {}
        for change in changes:
            try:
                await dialogue.apply(change)
            except NetlinkError as fault:
                refused[str(change)] = str(fault)
        for change_text, reason in refused.items():
            if change_text not in self._refused:
                log.warning("kernel refused", change=change_text, reason=reason)
        self._refused = refused
        if len(changes) > len(refused):
            log.info("kernel changed", changes=[str(change) for change in changes])
        return bool(changes)

    async def _watch_carrier(self, line: CarrierLine) -> None:
        while True:
            await asyncio.sleep(CARRIER_EVERY)
            carrier = self._look_at_carrier(line)
            if carrier != self._carrier:
                self._carrier = carrier
                self._tell_change()
                self._wake.set()

    def _look_at_carrier(self, line: CarrierLine) -> dict[str, bool]:
        uplinks = sorted(self._pop.uplinks.items())
        return {name: line.has_carrier(uplink.interface) for name, uplink in uplinks}

    def _tell_change(self) -> None:
        if self._present is None:
            return
        seen = KernelSeen(self._present.addresses, self._carrier, self._defaults(self._present))
        if seen != self._told:
            self._told = seen
            self._tell(seen)

    def _defaults(self, present: Present) -> dict[Family, str]:
        """The uplink each family's default route leads through, where it is one of ours."""
        uplink_of = {each.interface: name for name, each in self._pop.uplinks.items()}
        return {
            family: uplink_of[interfaces[0]]
            for family, interfaces in present.defaults.items()
            if interfaces[0] in uplink_of
        }

    def _owned(self, text: str) -> bool:
        return any(contains(prefix, text) for prefix in self._steered)
