"""One trial: a fresh lab, healthy first; then load, steps and watching; then the figures."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from lab.engines.bringing import monitor, up
from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.fibs import FibMonitor
from lab.judging.expectations import Measured, evaluate
from lab.load.outages import figures
from lab.load.records import Record
from lab.running.acting import perform
from lab.running.cell import Cell
from lab.running.host import look
from lab.running.keeping import keeping_logs
from lab.running.loading import LoadProcesses, plans
from lab.running.readiness import catchment, misnamed, misrouted, unfit, until_healthy
from lab.running.results import Trial, ticks
from lab.running.watching import SERVICE_NAME, Watch
from lab.scenarios.agenda import Act, agenda
from lab.scenarios.shapes import RouteTimeExpectation
from lab.scenarios.substitution import filled_expectation, filled_load, filled_step
from lab.timeline.entries import MS, Entry, moments, of_probe
from lab.topology.internet import Internet

HEAD_START_NS: Final = 300 * MS
MOST_SHIFT_S: Final = 1.0  # the load starts up to so much later: hold timers must not be in step
LONGEST_TIMELINE: Final = 4000


class _Seen(msgspec.Struct, kw_only=True):
    """What a trial brought home."""

    zero_ns: int
    end_ns: int
    steps_ns: Sequence[int]
    records: Mapping[str, tuple[Record, ...]]
    meanings: Mapping[str, str]
    faults: Sequence[Entry]


def run_trial(cell: Cell) -> tuple[Trial, str]:
    """Carry `cell` out. Never raises on a lab's trouble: that is a trial with an `error`.

    Returns:
        The trial, and how links were delayed.
    """
    load = look().load
    delay = "none"
    trial = Trial(params=cell.params, seed=cell.seed, load=load)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="ambicast-trial-") as directory,
            up(cell.topology(), name=f"run{os.getpid()}", relayed=cell.relayed) as lab,
        ):
            delay = lab.delay
            with keeping_logs(lab), monitor(lab) as fibs:
                trial = asyncio.run(_trial(cell, lab, fibs, Path(directory), load))
    except* LabError as faults:
        trial = msgspec.structs.replace(trial, error="; ".join(_sentences(faults)))
    return trial, delay


def _sentences(faults: BaseExceptionGroup[LabError]) -> list[str]:
    """What each fault says; those of task groups come nested."""
    said: list[str] = []
    for fault in faults.exceptions:
        said += _sentences(fault) if isinstance(fault, BaseExceptionGroup) else [str(fault)]
    return said


async def _trial(
    cell: Cell, lab: RunningLab, fibs: FibMonitor, directory: Path, load: float
) -> Trial:
    internet = cell.internet
    watch = Watch(lab, internet, fibs, agents=cell.has_agents, received=_asks_routers(cell))
    async with watch.running():
        await until_healthy(lambda: _wrong(cell, lab, internet, fibs), lambda: watch.route_changes)
        seen = await _measure(cell, lab, internet, watch, directory)
    clients = {each.name: each.client for each in cell.loads}
    entries = [*watch.entries(), *seen.faults]
    for name, records in seen.records.items():
        entries += of_probe(name, clients[name], records)
    first = seen.steps_ns[0] if seen.steps_ns else None
    measured = Measured(
        records=seen.records,
        samples=watch.judge.samples if watch.judge else (),
        events=watch.events,
        steps=seen.steps_ns,
        end_ns=seen.end_ns,
        steadiness=watch.steadiness(),
    )
    expected = () if cell.baseline else cell.scenario.expect
    timeline = [e for e in entries if e.t_ns >= seen.zero_ns - HEAD_START_NS]
    return Trial(
        params=cell.params,
        seed=cell.seed,
        probes={name: figures(records, first) for name, records in seen.records.items()},
        timeline=moments(timeline, seen.zero_ns)[:LONGEST_TIMELINE],
        expect=tuple(
            row
            for each in expected
            for row in evaluate(filled_expectation(each, seen.meanings), measured)
        ),
        let=seen.meanings,
        steps_ms=tuple(round((t - seen.zero_ns) / MS, 1) for t in seen.steps_ns),
        ticks={
            name: ticks(records, seen.steps_ns, seen.zero_ns)
            for name, records in seen.records.items()
        },
        load=load,
    )


def _asks_routers(cell: Cell) -> bool:
    """Whether an expectation needs to know what routers received."""
    timed = (each for each in cell.scenario.expect if isinstance(each, RouteTimeExpectation))
    return any(each.what == "back" for each in timed)


async def _wrong(cell: Cell, lab: RunningLab, internet: Internet, fibs: FibMonitor) -> list[str]:
    """What keeps the lab from being healthy, the cheapest question first."""
    if wrong := misrouted(internet, fibs):
        return wrong
    if not cell.has_agents:
        return []
    if wrong := await unfit(lab.api):
        return wrong
    networks = {client.name: lab.network(client.name) for client in internet.clients}
    return await misnamed(internet, networks, SERVICE_NAME)


async def _measure(
    cell: Cell, lab: RunningLab, internet: Internet, watch: Watch, directory: Path
) -> _Seen:
    clients = {client.name: client for client in internet.clients}
    meanings = {
        name: await catchment(lab.network(meant.client), clients[meant.client], meant.target)
        for name, meant in cell.scenario.let.items()
    }
    loads = [filled_load(load, meanings) for load in cell.loads]
    steps = [filled_step(step, meanings) for step in cell.scenario.steps]
    with LoadProcesses(lab, plans(loads, internet, directory)) as processes:
        await asyncio.to_thread(processes.prepare)
        await asyncio.sleep(random.Random(cell.seed).uniform(0, MOST_SHIFT_S))
        zero_ns = time.time_ns() + HEAD_START_NS
        processes.go(zero_ns)
        watch.begin(time.time_ns())
        taken, faults = await _take(agenda(steps), zero_ns, lab, watch)
        await _until(zero_ns + int(cell.scenario.end * 1e9))
        end_ns = time.time_ns()
        await asyncio.to_thread(processes.stop)
        return _Seen(
            zero_ns=zero_ns,
            end_ns=end_ns,
            steps_ns=taken,
            records=processes.records(),
            meanings=meanings,
            faults=faults,
        )


async def _take(
    acts: Sequence[Act], zero_ns: int, lab: RunningLab, watch: Watch
) -> tuple[list[int], list[Entry]]:
    """Do everything at its time; returns when each step was begun, and the timeline's entries."""
    taken: list[int] = []
    entries: list[Entry] = []
    for act in acts:
        await _until(zero_ns + int(act.at * 1e9))
        begun = time.time_ns()
        if act.number:
            taken.append(begun)
        step = act.step
        if watch.judge is not None:
            watch.judge.world = watch.judge.world.after(step)
        await asyncio.to_thread(perform, lab, step)
        node = step.arguments.get("node") or step.arguments.get("pop") or "lab"
        words = " ".join([step.action, *step.arguments.values()])
        entries.append(Entry(begun, "fault", node, words))
    return taken, entries


async def _until(t_ns: int) -> None:
    await asyncio.sleep(max(0.0, (t_ns - time.time_ns()) / 1e9))
