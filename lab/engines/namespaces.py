"""A lab's network namespaces and the links between them, made in a few `ip -batch` runs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab.engines.faults import LabError
from lab.fibs.namespaces import inside

DEATH_TIMEOUT_S: Final = 10.0
NETNS: Final = Path("/run/netns")


def namespace(lab: str, node: str) -> str:
    """The name of a node's network namespace."""
    return f"amb-{lab}.{node}"


def namespaces_of(lab: str) -> list[str]:
    """All namespaces of a lab that exist, whatever its state file says."""
    every = (path.name for path in NETNS.glob("amb-*.*"))
    return sorted(name for name in every if lab_of(name) == lab)


def labs_with_namespaces() -> list[str]:
    """Names of all labs that have a namespace, whether anything else is known of them or not."""
    return sorted({lab_of(path.name) for path in NETNS.glob("amb-*.*")})


def lab_of(name: str) -> str:
    """The lab that a namespace belongs to; nodes' names have no dot."""
    return name.removeprefix("amb-").rpartition(".")[0]


def batch(lines: Iterable[str], *, space: str | None = None, force: bool = False) -> None:
    """Run many `ip` commands in one process, in the namespace `space` or in this one.

    Raises:
        LabError: one of them failed (unless `force`).
    """
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    there = ["-n", space] if space is not None else []
    argv = ["ip", *there, *(["-force"] if force else []), "-batch", "-"]
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode and not force:
        msg = f"ip -batch: {done.stderr.strip()}"
        raise LabError(msg)


def write_sysctls(name: str, values: Mapping[str, str]) -> None:
    """Set network sysctls of a namespace; one that this kernel lacks is passed over."""
    with inside(NETNS / name):
        for key, value in values.items():
            with suppress(FileNotFoundError):
                Path("/proc/sys", *key.split(".")).write_text(value)


def inode(path: Path) -> int:
    """What tells one namespace from another; 0 if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def processes_in(names: Iterable[str]) -> list[int]:
    """Process ids of everything that lives in these namespaces, this process excepted."""
    wanted = {inode(NETNS / name) for name in names} - {0}
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and inode(entry / "ns/net") in wanted:
            found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def kill_all(names: Iterable[str], keepers: Collection[int] = ()) -> None:
    """SIGKILL whatever lives in these namespaces, and wait until it is gone.

    `keepers` are spared: each ends by itself when the process 1 that it waits for has ended.

    Raises:
        LabError: something does not die.
    """
    spaces = list(names)
    deadline = time.monotonic() + DEATH_TIMEOUT_S
    while living := [pid for pid in processes_in(spaces) if not _dead(pid)]:
        if time.monotonic() > deadline:
            msg = f"processes {living} in {', '.join(spaces)} do not die"
            raise LabError(msg)
        for pid in living:
            if pid not in keepers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def _dead(pid: int) -> bool:
    """Whether a process has ended and only waits for its parent to take note (a zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
