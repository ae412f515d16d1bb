"""A node's first process: starts its programs, keeps them running, and reaps what they leave.

Behaves as a service manager would on a real host. A program that ends by itself takes its whole
process group with it and is started again: after its own delay (`restart_after`, 0.2 s) at first,
and up to 5 s where it keeps failing. Lines written to `/run/programs/control` (`stop NAME`,
`start NAME`) hold and release a program. SIGTERM stops everything.

Works as process 1 of a PID namespace or container: orphans are reaped, signals have handlers.
Nothing but the standard library is imported, to be up within milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

PROGRAMS = Path("/run/programs")
LOGS = Path(os.environ.get("AMBICAST_LOGS", "/var/log/ambicast"))
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
STEADY_S = 10.0  # a program that ran this long starts afresh with the first delay
STOP_GRACE_S = 3.0
LOOK_S = 0.02  # how often a program's `after` path is looked for


class Watched:
    """One program: what to run, whether it should run, and how it fares."""

    def __init__(self, spec: dict[str, Any]) -> None:
        """From one entry of node.json's `programs`."""
        self.name: str = spec["name"]
        self.argv: list[str] = spec["argv"]
        self.env: dict[str, str] = spec.get("env", {})
        self.restart: bool = spec.get("restart", True)
        self.first_delay: float = spec.get("restart_after", FIRST_DELAY_S)
        self.after: str | None = spec.get("after")
        self.pid: int | None = None
        self.wanted = True
        self.due = 0.0
        self.delay = self.first_delay
        self.started = 0.0
        self.kill_at: float | None = None
        self.pid_file = PROGRAMS / f"{self.name}.pid"

    def tick(self, now: float) -> float:
        """Do what is due; returns when to look again."""
        if self.pid is not None:
            return self._chase(now)
        if not self.wanted:
            return now + 60
        if now < self.due:
            return self.due
        if self.after and not os.path.exists(self.after):  # noqa: PTH110 - cheap
            return now + LOOK_S
        self._launch(now)
        return now + 60

    def _chase(self, now: float) -> float:
        """While a stop is under way: kill when its grace is over."""
        if self.kill_at is None or self.pid is None:
            return now + 60
        if now >= self.kill_at:
            _signal_group(self.pid, signal.SIGKILL)
            self.kill_at = None
            return now + 60
        return self.kill_at

    def _launch(self, now: float) -> None:
        log = os.open(LOGS / f"{self.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.started = now
        pid = os.fork()
        if pid == 0:
            self._become(log)
        os.close(log)
        self.pid = pid
        self.pid_file.write_text(f"{pid}\n")

    def _become(self, log: int) -> None:
        """In the child: turn into the program."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.closerange(3, 64)
            os.execvpe(self.argv[0], self.argv, {**os.environ, **self.env})  # noqa: S606
        except OSError as fault:
            os.write(2, f"cannot start {self.argv[0]}: {fault.strerror}\n".encode())
        finally:
            os._exit(127)

    def ended(self, now: float) -> None:
        """Its process is gone: clear its group away and decide when to start again."""
        assert self.pid is not None
        _signal_group(self.pid, signal.SIGKILL)
        self.pid = None
        self.kill_at = None
        self.pid_file.unlink(missing_ok=True)
        if not self.restart:
            self.wanted = False
        if now - self.started >= STEADY_S:
            self.delay = self.first_delay
        self.due = now + self.delay
        self.delay = min(self.delay * 2, max(LONGEST_DELAY_S, self.first_delay))

    def hold(self, now: float) -> None:
        """Stop it and keep it stopped."""
        self.wanted = False
        if self.pid is not None and self.kill_at is None:
            self.kill_at = now + STOP_GRACE_S
            _signal_group(self.pid, signal.SIGTERM)
            _signal_group(self.pid, signal.SIGCONT)

    def release(self, now: float) -> None:
        """Let it run, at once."""
        self.wanted = True
        self.due = now
        self.delay = self.first_delay


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class Starter:
    """All programs of this node, and the loop that keeps them."""

    def __init__(self, programs: list[dict[str, Any]]) -> None:
        """From node.json's `programs`."""
        self.programs = {spec["name"]: Watched(spec) for spec in programs}
        self.stopping = False
        self.wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        control = PROGRAMS / "control"
        control.unlink(missing_ok=True)
        os.mkfifo(control)
        self.control = os.open(control, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._partial = b""

    def run(self) -> None:
        """Until SIGTERM, and everything is stopped."""
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._terminate)
        signal.signal(signal.SIGINT, self._terminate)
        while True:
            now = time.monotonic()
            self._reap(now)
            if self.stopping:
                if all(program.pid is None for program in self.programs.values()):
                    return
                for program in self.programs.values():
                    program.hold(now)
            due = min((p.tick(now) for p in self.programs.values()), default=now + 60)
            ready, _, _ = select.select([self.wake, self.control], [], [], max(0.0, due - now))
            if self.wake in ready:
                os.read(self.wake, 4096)
            if self.control in ready:
                self._obey(os.read(self.control, 4096), time.monotonic())

    def _terminate(self, *_: object) -> None:
        self.stopping = True

    def _reap(self, now: float) -> None:
        by_pid = {p.pid: p for p in self.programs.values() if p.pid is not None}
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in by_pid:
                by_pid[pid].ended(now)

    def _obey(self, data: bytes, now: float) -> None:
        """Control lines; whatever is not understood is left to the log."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            verb, _, name = line.decode(errors="replace").strip().partition(" ")
            program = self.programs.get(name)
            if program is None or verb not in ("start", "stop"):
                sys.stderr.write(f"control: {verb} {name}: not understood\n")
            elif verb == "stop":
                program.hold(now)
            else:
                program.release(now)


def main() -> None:
    """`python3 -m lab.nodes.start NODE.JSON`."""
    node = json.loads(Path(sys.argv[1]).read_text())
    for directory in (*node["directories"], str(PROGRAMS), str(LOGS)):
        Path(directory).mkdir(parents=True, exist_ok=True)
    if Path("/run/frr").is_dir():
        _give_to_frr()
    Starter(node["programs"]).run()


def _give_to_frr() -> None:
    """FRR's daemons drop to user `frr` and write there."""
    import shutil  # noqa: PLC0415 - slow to import, needed by few nodes

    for directory in ("/run/frr", "/var/tmp/frr"):  # noqa: S108 - FRR's own choice
        shutil.chown(directory, "frr", "frr")


if __name__ == "__main__":
    main()
