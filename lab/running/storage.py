"""Faults of what programs keep on disk: settings replaced under them, a damaged or full journal.

The lab's nodes have these folders on file systems of their own (tmpfs): one is full as soon as it
is given no more room than what it holds.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Final

import yaml

from lab.engines.faults import LabError
from lab.engines.running import RunningLab

NODE: Final = "ctl1"
KEPT: Final = "/var/lib/ambicast"
STORE: Final = "/var/lib/mosquitto"
ROOMY: Final = "50%"
RACES: Final = 5
FLEET: Final = "fleet.yaml"


def reload(lab: RunningLab, node: str, program: str, file: str | None, over: str = FLEET) -> None:
    """Put `file` (none: what stood there at first) over a node's file, and SIGHUP the program."""
    spec = lab.topology.node(node)
    first = {path.rpartition("/")[2]: content for path, content in spec.files.items()}
    if over not in first:
        msg = f"{node} has no {over}; there are {', '.join(sorted(first))}"
        raise LabError(msg)
    content = Path(file).read_bytes() if file else first[over].encode()
    # In place: what is bound into the node is this very file, not its name.
    with (lab.directory / node / over).open("r+b") as target:
        target.write(content)
        target.truncate()
    lab.signal(node, program, signal.SIGHUP)


def journal(lab: RunningLab, how: str) -> None:
    """`truncate` the controller's journal, `fill-disk` under it, or `restore` the room."""
    if how == "truncate":
        _truncate(lab)
    else:
        for left in reversed(range(RACES)):
            room = _used(lab) if how == "fill-disk" else ROOMY
            resize = ["mount", "-o", f"remount,size={room}", KEPT]
            # The controller goes on writing: less than is used by now the kernel refuses.
            if lab.exec(NODE, resize, check=not left).returncode == 0:
                return


def forget_store(lab: RunningLab) -> None:
    """Remove what the stopped broker kept: it starts empty."""
    lab.exec(NODE, ["find", STORE, "-mindepth", "1", "-delete"])


def _truncate(lab: RunningLab) -> None:
    """Cut the journal's files to half, in the middle of a page."""
    settings = yaml.safe_load((lab.directory / NODE / "controller.yaml").read_text())
    journal = Path(f"/proc/{lab.pid(NODE)}/root{settings['journal']}")
    if not journal.exists():
        msg = f"there is no journal {settings['journal']} on {NODE}"
        raise LabError(msg)
    for path in (journal, journal.with_name(f"{journal.name}-wal")):
        if path.exists():
            os.truncate(path, path.stat().st_size // 2 | 1)


def _used(lab: RunningLab) -> str:
    """What the folder's file system holds now, in KiB and never nothing (which would mean all)."""
    found = os.statvfs(f"/proc/{lab.pid(NODE)}/root{KEPT}")
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    return f"{max(4, used // 1024)}k"
