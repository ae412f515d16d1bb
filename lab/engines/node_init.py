"""The shell script that turns fresh namespaces into a node, and the command that runs it.

As a container engine would: private `/run`, `/etc/<program>`, `/var/lib/<program>` and `/var/log`,
the node's files bound where its programs expect them, its own host name, `/etc/hosts`, `/proc` and
`/sys`. Then the `exec` lines of the containerlab file, and at last its `cmd` takes the script's
place as process 1: kill it and the whole node is gone.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from lab.engines.namespaces import NETNS
from lab.topology.reading import ClabNode

PRIVATE: Final = (
    "/run",
    "/var/log",
    "/var/lib/ambicast",
    "/var/lib/knot",
    "/var/lib/mosquitto",
    "/var/tmp/frr",  # noqa: S108 - FRR's own choice
)
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STAGE: Final = "/mnt"  # where the lab's directory is seen while /run is being replaced
KEPT_WHOLE: Final = ("/", "/etc", "/usr", "/var", "/opt")  # never hidden under a tmpfs


def hosts_file(name: str) -> str:
    """A node's /etc/hosts. Without its own name in it ExaBGP stalls for 10 s at the start."""
    return f"127.0.0.1 localhost {name}\n::1 localhost {name}\n"


def script(name: str, node: ClabNode, interfaces: Sequence[str]) -> str:
    """The whole init script; it is run with the lab's directory as `$1`."""
    binds = [tuple(bind.split(":")[:2]) for bind in node.binds]
    resolved = any(target == "/etc/resolv.conf" for _, target in binds)
    binds.append((f"{name}/hosts", "/etc/hosts"))
    if not resolved:
        binds.append((f"{name}/resolv.conf", "/etc/resolv.conf"))
    lines = [
        "set -e",
        f"hostname {shlex.quote(name)}",
        f'mount --bind "$1" {STAGE}',
        "mount -t sysfs sysfs /sys",
        *(
            f"mkdir -p {d}; mount -t tmpfs -o mode=755 tmpfs {d}"
            for d in _private([target for _, target in binds])
        ),
        *(_bind(source, target) for source, target in binds),
        f"umount {STAGE}",
        *_exec(node, interfaces),
        f"exec {node.cmd}",
    ]
    return "\n".join(lines) + "\n"


def command(namespace: str, init: Path, directory: Path) -> list[str]:
    """argv that runs `init` in new mount, UTS, IPC and PID namespaces inside `namespace`."""
    enter = ["nsenter", f"--net={NETNS / namespace}"]
    own = ["-m", "-u", "-i", "-p", "-f", "--mount-proc", "--kill-child"]
    unshare = ["unshare", *own, "--propagation", "private"]
    return [*enter, *unshare, "sh", str(init), str(directory)]


def environment() -> dict[str, str]:
    """A node's environment: this Python first on PATH, nothing of the caller's but the locale."""
    path = f"{Path(sys.executable).parent}:{SYSTEM_PATH}"
    source = Path(__file__).resolve().parents[2]
    keep = {key: os.environ[key] for key in ("LANG", "LC_ALL") if key in os.environ}
    return {
        "PATH": path,
        "HOME": "/root",
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **keep,
    }


def _private(targets: list[str]) -> list[str]:
    """Directories that get a file system of their own, outer ones first."""
    parents = {str(PurePosixPath(target).parent) for target in targets}
    return sorted((set(PRIVATE) | parents) - set(KEPT_WHOLE) - {"/var/log/ambicast"})


def _bind(source: str, target: str) -> str:
    """Bind a file or folder; a target that is a link (resolv.conf, often) is followed."""
    staged = shlex.quote(f"{STAGE}/{source}")
    return (
        f"t=$(readlink -m {shlex.quote(target)}); mkdir -p $(dirname $t);"
        f' if [ -d {staged} ]; then mkdir -p "$t"; else [ -e "$t" ] || touch "$t"; fi;'
        f' mount --bind {staged} "$t"'
    )


def _exec(node: ClabNode, interfaces: Sequence[str]) -> list[str]:
    """The exec lines: all `ip` commands in one batch, then the rest."""
    ip = [line.removeprefix("ip ") for line in node.exec if line.startswith("ip ")]
    rest = [shlex.join(shlex.split(line)) for line in node.exec if not line.startswith("ip ")]
    links = [f"link set {interface} up" for interface in ("lo", *interfaces)]
    return ["ip -force -batch - <<'END' || true", *links, *ip, "END", *rest]
