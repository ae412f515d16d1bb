"""The load of one client: all its probes in one loop, each on its own fixed schedule.

Open loop: request n of a probe is due at start + (n + phase) / rate, whatever became of those
before it. What is late is sent at once and never left out, so the count of requests is fixed.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

from lab.load.connections import ConnectionProbe
from lab.load.datagrams import UdpProbe
from lab.load.lookups import LookupProbe
from lab.load.names import Names, Resolver
from lab.load.plan import PATIENCE_NS, Plan, Probe
from lab.load.records import Recorder
from lab.load.streams import StreamProbe

SWEEP_S: Final = 0.1


class Sender(Protocol):
    """One probe at work."""

    def open(self) -> None: ...
    def close(self) -> None: ...
    def fire(self, tasks: asyncio.TaskGroup) -> None: ...
    def expire(self, now_ns: int) -> None: ...


def due_ns(start_ns: int, probe: Probe, number: int) -> int:
    """When request `number` (from 0) of `probe` is due."""
    return start_ns + round((number + probe.phase) / probe.rate * 1e9)


async def send(plan: Plan, start_ns: int, stop: asyncio.Event) -> None:
    """Send until `stop` is set, then wait for what is under way."""
    recorder = Recorder(plan.records)
    resolver = Resolver(plan.resolver)
    resolver.open()
    try:
        async with asyncio.TaskGroup() as requests:
            names = Names(resolver, requests, time.monotonic)
            senders = [
                _sender(number, probe, recorder, names, resolver)
                for number, probe in enumerate(plan.probes)
            ]
            for sender in senders:
                sender.open()
            async with asyncio.TaskGroup() as work:
                for probe, sender in zip(plan.probes, senders, strict=True):
                    paced = _pace(probe, sender, start_ns, stop, requests)
                    work.create_task(paced, name=f"pace[{probe.name}]")
                work.create_task(_sweep(senders, recorder, stop), name="sweep")
        for sender in senders:
            sender.close()
    finally:
        resolver.close()
        recorder.close()


def _sender(
    number: int, probe: Probe, recorder: Recorder, names: Names, resolver: Resolver
) -> Sender:
    if probe.kind == "udp":
        return UdpProbe(number, probe, recorder, names)
    if probe.kind == "tcp-stream":
        return StreamProbe(number, probe, recorder)
    if probe.kind == "dns":
        return LookupProbe(number, probe, recorder, resolver)
    return ConnectionProbe(number, probe, recorder, names)


async def _pace(
    probe: Probe, sender: Sender, start_ns: int, stop: asyncio.Event, tasks: asyncio.TaskGroup
) -> None:
    number = 0
    while not stop.is_set():
        late = time.time_ns() - due_ns(start_ns, probe, number)
        if late < 0:
            await asyncio.sleep(min(-late / 1e9, 0.5))
            continue
        sender.fire(tasks)
        number += 1
        await asyncio.sleep(0)  # those that are late must not keep the answers waiting


async def _sweep(senders: list[Sender], recorder: Recorder, stop: asyncio.Event) -> None:
    """Give up old requests; after the last one was sent, until all had their second."""
    end_ns: int | None = None
    while end_ns is None or time.time_ns() < end_ns:
        await asyncio.sleep(SWEEP_S)
        now_ns = time.time_ns()
        for sender in senders:
            sender.expire(now_ns)
        recorder.flush()
        if end_ns is None and stop.is_set():
            end_ns = now_ns + PATIENCE_NS + int(3 * SWEEP_S * 1e9)
