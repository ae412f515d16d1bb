"""Keeps the local Knot answering what steering and client map say, and proves that it does.

One loop owns the server. Every round compares the whole desired set with what the server holds,
applies the difference (group records in one transaction, then the map), and asks real questions.
Only then the receipt says "accepted". Whatever fails makes the server's state unknown: the next
round starts by reading all of it again. Messages that arrive during a round are looked at together
in the next one, so that of many only the newest is applied.

Silence of controller or broker changes nothing here (I8), and neither does a restart: the zone
holds the stamps of what it answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from agents.answering.acceptance import Accepted, Forbidden, Held, Stale, judge
from agents.answering.generation import spell_stamp
from agents.nameserver.control import ControlError
from agents.nameserver.examiner import ExaminationError
from agents.nameserver.launch import DNS_PORT
from agents.nameserver.places import Places
from agents.nameserver.server import MapRejectedError, Server, Wanted
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import (
    ClientMap,
    NameserverReceipt,
    NameserverReport,
    Outcome,
    Steering,
)
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import NameserverName

log = structlog.get_logger()

# Seconds between two looks at a server nobody sends anything to; every so many-th reads it all.
_LOOK_EVERY = 1.0
_READ_EVERY = 30
_FIRST_RETRY, _SLOWEST_RETRY = 0.1, 0.5

_NO_MAP = "no client map is live: everybody gets the default"

STEERING, MAP = "steering", "map"


class Nameserver:
    """The nameserver ``name`` of ``fleet``, on this host.

    Args:
        fleet: the inventory; its zone, services and addresses bound what is accepted.
        name: which of the fleet's nameservers this is.
        socket: Knot's control socket.
        directory: the folder :func:`agents.nameserver.launch.run_knot` was given.
        instance: what this run of the agent calls itself.
        tell_receipt: gets the stamp a receipt answers, and the receipt; must not block.
        tell_report: gets the report on every change; must not block.
        port: where Knot listens.
    """

    def __init__(
        self,
        fleet: Fleet,
        name: NameserverName,
        *,
        socket: Path,
        directory: Path,
        instance: str,
        tell_receipt: Callable[[Stamp, NameserverReceipt], None],
        tell_report: Callable[[NameserverReport], None],
        port: int = DNS_PORT,
    ) -> None:
        me = fleet.nameservers[name]
        self._fleet = fleet
        self._instance = instance
        self._server = Server(fleet, me.addresses, port, Places(directory, socket))
        self._tell_receipt = tell_receipt
        self._tell_report = tell_report
        self._held = {STEERING: Held(), MAP: Held()}
        self._owed: dict[str, set[Stamp]] = {STEERING: set(), MAP: set()}
        self._wake = asyncio.Event()
        self._reported: NameserverReport | None = None

    def steer(self, stamp: Stamp, steering: Steering) -> None:
        """Follow ``steering``: the whole set of answers."""
        self._take(STEERING, stamp, steering)

    def map(self, stamp: Stamp, client_map: ClientMap) -> None:
        """Follow ``client_map``: the whole map."""
        self._take(MAP, stamp, client_map)

    async def run(self) -> None:
        """Lives for ever; a server that is away is waited for."""
        quiet = 0
        retry = _FIRST_RETRY
        while True:
            self._wake.clear()
            try:
                if quiet % _READ_EVERY == 0:
                    self._server.forget()
                await self._round()
            except (ControlError, ExaminationError, OSError) as fault:
                self._server.forget()
                self._report(running=False, detail=str(fault))
                await self._sleep(retry)
                retry = min(2 * retry, _SLOWEST_RETRY)
                continue
            retry = _FIRST_RETRY
            quiet = 1 if await self._sleep(_LOOK_EVERY) else quiet + 1

    async def _sleep(self, seconds: float) -> bool:
        """Waits for news at most this long; whether there is some."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def _take(self, kind: str, stamp: Stamp, message: Steering | ClientMap) -> None:
        match judge(message, stamp, self._held[kind], self._fleet):
            case Accepted():
                self._held[kind] = Held(stamp, message)
                self._owed[kind].add(stamp)
                self._wake.set()
            case Stale(why):
                self._refuse(kind, stamp, why)
            case Forbidden(offences):
                self._refuse(kind, stamp, *offences)

    async def _round(self) -> None:
        await self._server.open()
        self._fence(STEERING, self._server.generation.steering)
        self._fence(MAP, self._server.generation.map)
        steering, client_map = self._held[STEERING], self._held[MAP]
        try:
            proven = await self._server.converge(Wanted(steering, client_map))
        except MapRejectedError as fault:
            self._reject_map(client_map.stamp, str(fault))
            return
        self._settle(STEERING, steering.stamp, proven)
        self._settle(MAP, client_map.stamp, proven)
        self._report(running=True, detail="" if self._server.has_map else _NO_MAP)

    def _reject_map(self, stamp: Stamp, why: str) -> None:
        """The server would not have it: back to the former one, unless a newer one came since."""
        if self._held[MAP].stamp == stamp:
            self._held[MAP] = self._server.map
        self._owed[MAP].discard(stamp)
        self._refuse(MAP, stamp, why)
        self._wake.set()

    def _fence(self, kind: str, found: Stamp) -> None:
        """What the server already holds is never replaced by something older."""
        held = self._held[kind]
        if found <= held.stamp:
            return
        self._held[kind] = Held(found)
        for stamp in sorted(self._owed[kind]):
            if stamp < found:
                self._owed[kind].discard(stamp)
                newer = spell_stamp(found)
                self._refuse(kind, stamp, f"the zone holds {newer}, which is newer")

    def _settle(self, kind: str, done: Stamp, proven: int) -> None:
        """Answers what was owed up to ``done``; what came later is owed on."""
        for stamp in sorted(each for each in self._owed[kind] if each <= done):
            self._owed[kind].discard(stamp)
            if stamp < done:
                self._refuse(kind, stamp, f"superseded by {spell_stamp(done)}")
                continue
            receipt = NameserverReceipt(outcome=Outcome.ACCEPTED, answers_to=kind, proven=proven)
            self._tell_receipt(stamp, receipt)

    def _refuse(self, kind: str, stamp: Stamp, *why: str) -> None:
        log.warning("message refused", kind=kind, stamp=spell_stamp(stamp), why=why)
        receipt = NameserverReceipt(outcome=Outcome.REFUSED, answers_to=kind, refusals=why)
        self._tell_receipt(stamp, receipt)

    def _report(self, *, running: bool, detail: str) -> None:
        generation = self._server.generation
        report = NameserverReport(
            instance=self._instance,
            running=running,
            steering_epoch=generation.steering.epoch,
            steering_generation=generation.steering.generation,
            map_epoch=generation.map.epoch,
            map_generation=generation.map.generation,
            detail=detail,
        )
        if report == self._reported:
            return
        before, self._reported = self._reported, report
        if before is None or (before.running, before.detail) != (running, detail):
            log.info("nameserver changed", running=running, detail=detail)
        self._tell_report(report)
