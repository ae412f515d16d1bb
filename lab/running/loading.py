"""The load processes of one trial: one per client network, started ready and let go together."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.load.plan import Plan, Probe
from lab.load.records import Record, read_records
from lab.scenarios.shapes import Load
from lab.scenarios.targets import parse_target
from lab.topology.internet import Client, Internet

GRACE_S: Final = 20.0  # it needs little more than 1 s, but may have to share a busy machine


def plans(loads: Sequence[Load], internet: Internet, directory: Path) -> dict[Client, Plan]:
    """One plan per client that sends anything; first requests are spread over the interval."""
    found = {}
    for client in internet.clients:
        mine = [load for load in loads if load.client == client.name]
        if not mine:
            continue
        probes = tuple(
            Probe(
                name=load.name,
                kind=load.probe,
                target=parse_target(load.target, internet),
                rate=load.rate,
                phase=place / len(mine),
            )
            for place, load in enumerate(mine)
        )
        records = str(directory / f"{client.name}.records")
        found[client] = Plan(probes=probes, resolver=resolver_of(client), records=records)
    return found


def resolver_of(client: Client) -> str:
    """A client network's resolver: asked at the client's own address, so that ECS is right."""
    return client.networks["v4"].removesuffix("0/24") + "10"


class LoadProcesses:
    """All clients' load; a context manager that leaves no process behind."""

    def __init__(self, lab: RunningLab, plans: Mapping[Client, Plan]) -> None:
        self._lab = lab
        self._plans = plans
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def prepare(self) -> None:
        """Start all processes and wait until each is ready.

        Raises:
            LabError: one ended instead; says why.
        """
        for client, plan in self._plans.items():
            argv = [sys.executable, "-P", "-m", "lab.load", msgspec.json.encode(plan).decode()]
            with Path(f"{plan.records}.log").open("wb") as errors:
                self._processes[client.name] = self._lab.popen(
                    client.name,
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                )
        for client, plan in self._plans.items():
            out = self._processes[client.name].stdout
            if out is None or out.readline().strip() != b"ready":
                said = Path(f"{plan.records}.log").read_text(errors="replace").strip()
                message = f"the load of {client.name} did not start: {said[-500:]}"
                raise LabError(message)

    def go(self, start_ns: int) -> None:
        """Let all of them start at the same instant."""
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.write(b"%d\n" % start_ns)
            process.stdin.flush()

    def stop(self) -> None:
        """End all schedules and wait for the last answers.

        Raises:
            LabError: one failed on the way; its figures would be wrong.
        """
        for process in self._processes.values():
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        for client, plan in self._plans.items():
            try:
                code = self._processes[client.name].wait(timeout=GRACE_S)
            except subprocess.TimeoutExpired:
                message = f"the load of {client.name} did not end within {GRACE_S:g} s"
                raise LabError(message) from None
            if code != 0:
                said = Path(f"{plan.records}.log").read_text(errors="replace").strip()
                message = f"the load of {client.name} ended with {code}: {said[-500:]}"
                raise LabError(message)

    def records(self) -> dict[str, tuple[Record, ...]]:
        """All records by probe name."""
        found: dict[str, tuple[Record, ...]] = {}
        for plan in self._plans.values():
            every = read_records(Path(plan.records))
            for number, probe in enumerate(plan.probes):
                found[probe.name] = tuple(_of(every, number))
        return found


def _of(records: Iterable[Record], probe: int) -> Iterable[Record]:
    return (record for record in records if record.probe == probe)
