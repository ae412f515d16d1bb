"""The composition root: builds everything, connects it, names every task."""

from __future__ import annotations

import asyncio
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import structlog

from ambicast.files import FleetFileError, load_fleet
from ambicast.notify import ServiceManager
from controller.api.server import Api
from controller.choreography.resuming import resumed
from controller.choreography.run import fresh
from controller.config import Settings
from controller.fleet.bus import Bus
from controller.loop import Loop
from controller.storage.lastgood import fleet_to_start_with
from controller.storage.opening import open_journal
from controller.world.observations import Observation

log = structlog.get_logger()


def anchored_clock() -> Callable[[], float]:
    """Seconds since the Unix epoch that never step back while this process lives."""
    offset = time.clock_gettime(time.CLOCK_REALTIME) - time.monotonic()
    return lambda: time.monotonic() + offset


async def run_controller(settings: Settings) -> None:
    """Runs until SIGTERM; leaves every advertisement and answer as it is."""
    found = fleet_to_start_with(Path(settings.fleet), Path(settings.journal))
    fleet = found.fleet
    clock = anchored_clock()
    opened = open_journal(Path(settings.journal))
    journal, last, new = opened.journal, opened.last, fresh(fleet, 1, clock())
    run = new if last is None else resumed(last, new, fleet)
    mailbox: asyncio.Queue[Observation] = asyncio.Queue()
    instance = uuid.uuid4().hex[:12]
    bus = Bus(settings.broker, fleet, instance, clock, mailbox.put_nowait, run.epoch)
    life, techniques = ServiceManager(), frozenset(settings.techniques)
    loop = Loop(fleet, run, journal, bus, clock, mailbox, techniques, life, bus.dropped)
    api = Api(settings.api, fleet, loop)
    for complaint in opened.complaints:
        loop.complain("journal.lost", complaint)
    for complaint in found.complaints:
        loop.complain("fleet.refused", complaint)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload, settings, loop)
    log.info("controller starts", fleet=fleet.name, epoch=run.epoch, pops=len(fleet.pops))
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(loop.run(), name="loop"),
            tasks.create_task(bus.run(), name="bus"),
            tasks.create_task(api.run(), name="api"),
        ]
        await stop.wait()
        life.stopping()
        for task in running:
            task.cancel()
    journal.close()
    log.info("controller stopped")


def reload(settings: Settings, loop: Loop) -> None:
    """SIGHUP: judges the fleet file of now; a restart, which loses nothing, uses it.

    A file that is refused is named fault by fault in the log, counted (``faults`` of the API's
    status), and changes nothing: the fleet of the start stays.
    """
    try:
        load_fleet(Path(settings.fleet))
    except FleetFileError as fault:
        loop.count_fault()
        log.error("fleet file refused, the last good one stays", faults=str(fault))
    else:
        log.info("fleet file is good: restart to use it; the journal keeps every plan")
