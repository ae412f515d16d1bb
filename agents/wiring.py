"""Builds the agent of one host and keeps its parts alive.

Every part is a task with a name. A part that fails is logged, counted and started again, because
nothing in here is worth losing the rest: an agent without its watcher still withdraws a service
that fails. On SIGTERM nothing is withdrawn and no address is removed: ExaBGP, Knot and the kernel
go on with what they have, and the next agent takes over from there.
"""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from agents.advertising.deeds import recalled
from agents.advertising.fitness import ServiceTable
from agents.advertising.hold_down import Falls
from agents.advertising.observations import Observation, OrderArrived
from agents.advertising.scene import Way
from agents.advertising.serving import Serving
from agents.advertising.state import Facts, HostState, begun, fold
from agents.advertising.weather import Weather
from agents.brake import status
from agents.brake.desk import Desk
from agents.brake.file import BrakeFile
from agents.config import ConfigError, Settings, load
from agents.loop import Agent, OrderPort, Ports
from agents.mqtt.bus import Bus
from agents.mqtt.mailroom import Identity
from agents.orders.falls import FallStorage
from agents.orders.proven import ProvenStorage
from agents.orders.storage import Kept, OrderStorage
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Brake, ClientMap, Steering
from ambicast.model.identifiers import NameserverName, Role
from ambicast.model.routes import Advertisement
from ambicast.notify import ServiceManager

PAUSE = 0.5
LONGEST_PAUSE = 10.0
STEADY = 60.0
GOOD_BYE = 1.0

Run = Callable[[], Awaitable[None]]

log = structlog.get_logger()


async def serve(settings: Settings, path: Path) -> None:
    """The agent, until SIGTERM or SIGINT; SIGHUP reads ``path`` again."""
    loop = asyncio.get_running_loop()
    storage = OrderStorage(settings.state_dir)
    instance = uuid.uuid4().hex[:12]
    unix = datetime.now(tz=UTC).timestamp() - loop.time()
    facts = facts_of(settings, instance, unix)
    parts = Parts(settings, facts, storage, storage.start(loop.time()))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    reload = Reload(settings, path, parts.agent, facts)
    loop.add_signal_handler(signal.SIGHUP, reload)
    log.info("agent running", instance=instance, roles=settings.roles, parts=list(parts.runs))
    async with asyncio.TaskGroup() as group:
        tasks = {
            name: group.create_task(kept_alive(name, run, parts.failures), name=name)
            for name, run in parts.runs.items()
        }
        await stop.wait()
        parts.life.stopping()
        parts.bus.leave()
        await asyncio.wait({tasks["bus"]}, timeout=GOOD_BYE)
        for task in tasks.values():
            task.cancel()
    storage.stopped()
    log.info("agent stopped", instance=instance)


async def kept_alive(name: str, run: Run, failures: Counter[str]) -> None:
    """``run``, again and again while it fails; a return is an end."""
    pause, clock = PAUSE, asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            await run()
        except Exception:
            failures[name] += 1
            log.exception("part failed", part=name, failures=failures[name])
        else:
            return
        # What ran well for a while failed anew, not again.
        pause = PAUSE if clock() - began > STEADY else pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def facts_of(settings: Settings, instance: str, unix: float) -> Facts:
    """What the decisions need to know of the settings."""
    return Facts(
        fleet=settings.fleet,
        pop=settings.pop,
        host=settings.host,
        allow=settings.allow,
        table=ServiceTable(settings.fleet),
        instance=instance,
        unix=unix,
    )


class Parts:
    """The agent's parts, built for one host's roles; ``runs`` names what has to run."""

    def __init__(self, settings: Settings, facts: Facts, orders: OrderPort, kept: Kept) -> None:
        self.failures: Counter[str] = Counter()
        self._settings, self._facts = settings, facts
        clock = asyncio.get_running_loop().time
        nameserver = settings.nameserver
        me = Identity(
            fleet=settings.fleet.name,
            pop=settings.pop.name,
            host=settings.host,
            roles=tuple(settings.roles),
            instance=facts.instance,
            since=round(facts.unix + clock(), 3),
            nameserver=nameserver,
        )
        self.bus = Bus(settings.broker, me, self._tell, self._hear if nameserver else None)
        self.runs: dict[str, Run] = {"bus": self.bus.run}
        self.life = ServiceManager()
        known = Ports(bus=self.bus, orders=orders, life=self.life)
        if Role.BGP in settings.roles:
            known = self._with_bgp(known)
        self.brake = BrakeFile(settings.state_dir)
        failures = FallStorage(settings.state_dir)
        proven = ProvenStorage(settings.state_dir, settings.pop)
        known = msgspec.structs.replace(known, falls=failures, proven=proven)
        brake = self.brake.read(), self.brake.frozen()
        state = restored(kept, facts, clock(), *brake, failures.read(), proven=proven.read())
        self.agent = Agent(facts, known, clock, state)
        self.runs["loop"] = self.agent.run
        self.runs["brake"] = Desk(
            settings.socket, self.brake, self._status, self._tell, self._frozen
        ).run
        self._nameserver = self._with_dns(nameserver) if nameserver else None

    def _tell(self, observation: Observation) -> None:
        self.agent.tell(observation)

    def _status(self) -> status.Status:
        now = asyncio.get_running_loop().time()
        return status.running(self.agent.state, self.agent.desired, self._facts, now)

    def _frozen(self) -> frozenset[Advertisement] | None:
        braking = self.agent.state.braking
        return braking.frozen if braking is not None and braking.holds else None

    def _hear(self, stamp: Stamp, message: Steering | ClientMap) -> None:
        if self._nameserver is None:
            return
        match message:
            case Steering():
                self._nameserver.steer(stamp, message)
            case ClientMap():
                self._nameserver.map(stamp, message)

    def _with_bgp(self, ports: Ports) -> Ports:
        from agents.bfd.control import Bfd  # noqa: PLC0415 - only hosts with this role
        from agents.bgp.session import Bgp  # noqa: PLC0415
        from agents.load.meter import Meter  # noqa: PLC0415
        from agents.netlink.kernel import Kernel  # noqa: PLC0415
        from agents.probes.checks import Checks  # noqa: PLC0415
        from agents.watch.key import load_key  # noqa: PLC0415
        from agents.watch.messenger import Messenger  # noqa: PLC0415
        from agents.watch.watcher import Watcher  # noqa: PLC0415

        settings, tell = self._settings, self._tell
        fleet, pop = settings.fleet, settings.pop
        key = load_key(settings.watch_key_file)
        graceful = settings.exabgp.graceful_seconds > 0
        bgp = Bgp(settings.exabgp.bridge, pop, fleet.asn, tell, graceful=graceful)
        kernel = Kernel(pop, fleet.steered(), tell)
        checks = Checks(fleet.services, pop, tell)
        speak = Messenger(settings.responder)
        run = self._facts.instance
        watcher = Watcher(fleet, pop, settings.host, key, run, tell, speak=speak)
        self.runs |= {
            "bgp": bgp.run,
            "kernel": kernel.run,
            "checks": checks.run,
            "watcher": watcher.run,
            "load": Meter(pop, settings.load.cpu, tell).run,
        }
        if (bfd := settings.bfd) is not None:
            watching = Bfd(bfd.socket, pop, bfd.seconds, bfd.multiplier, tell)
            self.runs["bfd"] = watching.run
        return msgspec.structs.replace(ports, bgp=bgp, kernel=kernel, watch=watcher, checks=checks)

    def _with_dns(self, name: NameserverName) -> NameserverPort:
        from agents.nameserver.knot import Nameserver  # noqa: PLC0415 - only hosts with this role

        nameserver = Nameserver(
            self._settings.fleet,
            name,
            socket=self._settings.knot.socket,
            directory=self._settings.knot.directory,
            instance=self._facts.instance,
            tell_receipt=self.bus.publish_nameserver_receipt,
            tell_report=self.bus.publish_nameserver_report,
        )
        self.runs["nameserver"] = nameserver.run
        return nameserver


class NameserverPort(Protocol):
    """Follows steering and client maps."""

    def steer(self, stamp: Stamp, steering: Steering) -> None: ...
    def map(self, stamp: Stamp, client_map: ClientMap) -> None: ...


def restored(
    kept: Kept,
    facts: Facts,
    now: float,
    brake: Brake | None = None,
    frozen: frozenset[Advertisement] | None = None,
    falls: Mapping[str, Falls] | None = None,
    *,
    proven: frozenset[Way] = frozenset(),
) -> HostState:
    """The state to begin with: the brake, and the kept order, judged by today's allow-list.

    ``frozen`` is what the brake holds, if that is known; ``falls`` are the failures of services,
    which a restart does not pardon; ``proven`` are the own uplinks that have worked in an earlier
    run. What was advertised without an order stays so.
    """
    empty = HostState(
        distrusted=kept.distrusted,
        serving=Serving(falls=falls or {}),
        weather=Weather(proven=proven),
        deeds=recalled(kept.deeds, facts.unix),
    )
    empty = begun(empty, brake, frozen, facts, now)
    if kept.held is None:
        return empty
    state = fold(empty, OrderArrived(kept.held.stamp, kept.held.order), facts, now)
    stamp = kept.held.stamp
    log.info(
        "kept order",
        accepted=state.held is not None,
        epoch=stamp.epoch,
        generation=stamp.generation,
        verdict=type(state.verdict).__name__,
    )
    return state


class Reload:
    """SIGHUP: read the settings again; a faulty file changes nothing.

    The allow-list is in force at once. Whatever else changed needs new sessions, sockets or
    checks, and is in force after a restart, which nobody notices either.
    """

    def __init__(self, settings: Settings, path: Path, agent: Agent, facts: Facts) -> None:
        self._settings, self._path, self._agent, self._facts = settings, path, agent, facts

    def __call__(self) -> None:
        try:
            fresh = load(self._path)
        except ConfigError as fault:
            log.error("settings kept", why=str(fault))
            return
        self._agent.reconfigure(msgspec.structs.replace(self._facts, allow=fresh.allow))
        later = [
            name
            for name in fresh.__struct_fields__
            if name != "allow" and getattr(fresh, name) != getattr(self._settings, name)
        ]
        log.info("settings read", after_restart=later)
