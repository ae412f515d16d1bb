"""A lab that is up, and everything one can do to it. Engines differ in a few methods only."""

from __future__ import annotations

import abc
import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lab.engines.faults import LabError
from lab.engines.links import Links
from lab.engines.state import State
from lab.nodes.broker import PORT as BROKER_PORT
from lab.topology.shapes import Topology

CONTROL: Final = "run/programs/control"
STOP_TIMEOUT_S: Final = 6.0
LOOK_S: Final = 0.01


class RunningLab(Links):
    """A lab that is up; faults of its links and nodes are made by what `Links` gives it.

    Attributes:
        name: of this lab; several may be up at once.
        directory: the containerlab file, every node's files and `<node>/log/<program>.log`.
        delay: how links are delayed: `netem`, `relay` or `none`.
    """

    def __init__(self, state: State) -> None:
        """Take hold of a lab by its state."""
        self.state = state
        self.name = state.name
        self.directory = Path(state.directory)
        self.engine = state.engine
        self.delay = state.delay
        self.topology: Topology = state.topology
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def guard(self, guard: subprocess.Popen[bytes]) -> None:
        """Take note of the process that ends this lab with us; `down` dismisses it."""
        self._guard = guard

    def down(self) -> None:
        """Take the lab away; doing it twice is doing it once."""
        self._take_away()
        guard, self._guard = self._guard, None
        if guard is not None and guard.stdin is not None:
            with suppress(BrokenPipeError):
                guard.stdin.write(b"dismissed\n")
                guard.stdin.close()
            guard.wait()

    # What engines provide

    @abc.abstractmethod
    def pid(self, node: str) -> int:
        """The node's process 1 as seen from here; `/proc/<pid>/ns/net` is its network.

        Raises:
            LabError: the node is powered off.
        """

    @abc.abstractmethod
    def command(self, node: str, argv: Sequence[str]) -> list[str]:
        """`argv` so that it runs inside the node."""

    @abc.abstractmethod
    def poweroff(self, node: str) -> None:
        """Kill everything in the node at once; its neighbors lose their carrier."""

    @abc.abstractmethod
    def _take_away(self) -> None:
        """Remove everything of the lab, known or not."""

    # Where the outside reaches it

    @property
    def api(self) -> str:
        """The controller's API as the root namespace reaches it."""
        return f"http://{self._management()}:8080"

    @property
    def broker(self) -> tuple[str, int]:
        """The broker's address and port as the root namespace reaches it."""
        return self._management(), BROKER_PORT

    # Commands and programs

    def exec(
        self, node: str, argv: Sequence[str], *, check: bool = True, timeout: float | None = 30
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside a node, with the node's programs' PATH, and wait for it.

        Raises:
            subprocess.CalledProcessError: it failed (with `check`).
            subprocess.TimeoutExpired: it took longer than `timeout` seconds.
        """
        try:
            return subprocess.run(
                self.command(node, argv),
                check=check,
                timeout=timeout,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                env=self.environment(),
            )
        except subprocess.CalledProcessError as fault:
            fault.add_note(f"{node} said: {fault.stderr.strip()}")
            raise

    def popen(self, node: str, argv: Sequence[str], **keywords: Any) -> subprocess.Popen[Any]:
        """Start a command inside a node; it ends (SIGTERM) when the returned process is ended."""
        keywords.setdefault("env", self.environment())
        return subprocess.Popen(self.command(node, argv), **keywords)

    def environment(self) -> dict[str, str]:
        """The environment commands inside nodes are run with."""
        return dict(os.environ)

    def program_pid(self, node: str, program: str) -> int | None:
        """A program's process id as seen from here; None while it is not running."""
        init = self.pid(node)
        try:
            inner = int((self._root(node) / f"run/programs/{program}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        children = Path(f"/proc/{init}/task/{init}/children").read_text().split()
        return next((int(pid) for pid in children if _inner_pid(int(pid)) == inner), None)

    def signal(self, node: str, program: str, number: int) -> None:
        """Send a signal to a program.

        Raises:
            LabError: it is not running.
        """
        pid = self.program_pid(node, program)
        if pid is None:
            msg = f"{program} is not running on {node}"
            raise LabError(msg)
        os.kill(pid, number)

    def stop(self, node: str, program: str) -> None:
        """Stop a program and keep it stopped; returns when it is gone."""
        pid = self.program_pid(node, program)
        self._control(node, f"stop {program}")
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while pid is not None and self.program_pid(node, program) == pid:
            if time.monotonic() > deadline:
                msg = f"{program} on {node} did not stop within {STOP_TIMEOUT_S:g} s"
                raise LabError(msg)
            time.sleep(LOOK_S)

    def start(self, node: str, program: str) -> None:
        """Let a stopped program run again; does not wait for it."""
        self._control(node, f"start {program}")

    def is_on(self, node: str) -> bool:
        """Whether the node is powered on."""
        try:
            return Path(f"/proc/{self.pid(node)}").exists()
        except LabError:
            return False

    # Inner workings

    def _root(self, node: str) -> Path:
        """The node's file system, as seen from here."""
        return Path(f"/proc/{self.pid(node)}/root")

    def _control(self, node: str, line: str) -> None:
        name = line.partition(" ")[2]
        known = [program.name for program in self.topology.node(node).programs]
        if name not in known:
            msg = f"no program {name!r} on {node}; there are {', '.join(known) or 'none'}"
            raise LabError(msg)
        control = os.open(self._root(node) / CONTROL, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(control, f"{line}\n".encode())
        finally:
            os.close(control)

    def _management(self) -> str:
        if self.state.management is None:
            msg = f"lab {self.name} has no controller node"
            raise LabError(msg)
        return self.state.management.node


def _inner_pid(pid: int) -> int | None:
    """A process's id in the innermost PID namespace it is in."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return None
