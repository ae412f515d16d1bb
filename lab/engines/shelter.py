"""Where an ordinary user is root: a user namespace with network and mount namespaces of its own.

A lab needs root's rights over networks and mounts, but only over its own. So whoever is not root
runs the lab's commands inside namespaces made for that user (user_namespaces(7)): its own user id
is 0 there, `/run` and `/var/lib` are empty, and `/etc` is a copy in which the daemons' users and
groups are root too, because there is no other user to become. Packages that `./dev` could not
install are laid over `/usr`. One process per user holds the
namespaces; every command joins them, and the last one that leaves no lab behind ends it.

From outside nothing of such a lab can be reached: its management network is in there as well.
`./dev lab exec` and `shell` go in.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab.engines import lasting
from lab.engines.faults import LabError
from lab.engines.state import known

HOLDER: Final = "lab.engines.shelter"
JOINED: Final = "AMBICAST_SHELTER"  # in the environment of whoever is inside: the holder's pid
READY_WITHIN_S: Final = 20.0
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/sbin:/sbin"
DAEMONS: Final = ("frr", "frrvty", "bird", "knot", "mosquitto", "unbound", "_unbound")
USER_COLONS: Final = 6  # in a line of /etc/passwd; one of /etc/group has 3
# Debian packages that an ordinary user has unpacked for lack of root (`./dev`): laid over /usr.
UNPACKED: Final = Path(__file__).resolve().parents[2] / "var" / "packages"
STATE: Final = ("ambicast", "knot", "mosquitto", "frr", "unbound")
# What forbids user namespaces: file, the value that does, what to do about it.
LOCKS: Final = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
    ("/proc/sys/user/max_user_namespaces", "0"),
)


def enter(arguments: Sequence[str]) -> None:
    """Go on inside: for an ordinary user this call replaces the process, for root it returns.

    Args:
        arguments: of `python -m lab`.

    Raises:
        LabError: this system gives its users no such namespaces; says why.
    """
    if os.geteuid() == 0:
        return
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    lock = _lock()
    fcntl.flock(lock, fcntl.LOCK_EX)
    holder = _holder() or _hold()
    fcntl.flock(lock, fcntl.LOCK_SH)  # as long as this command lasts
    os.set_inheritable(lock, True)
    os.environ[JOINED] = f"{holder} {lock}"
    join = ["nsenter", "--user", "--net", "--mount", "--preserve-credentials"]
    here = [f"--target={holder}", f"--wd={Path.cwd()}", "--"]
    command = [sys.executable, "-P", "-m", "lab", *arguments]
    os.execvp(join[0], [*join, *here, *command])  # noqa: S606 - the same command, inside


def leave() -> None:
    """End the holder, where this was the last command inside and no lab is up."""
    holder, _, lock = os.environ.get(JOINED, "").partition(" ")
    if not lock or known():
        return
    with suppress(OSError):
        fcntl.flock(int(lock), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(int(holder), signal.SIGTERM)


def why_not() -> str:
    """What keeps ordinary users from namespaces of their own here, in one sentence."""
    for file, locked in LOCKS:
        with suppress(OSError):
            if Path(file).read_text().strip() == locked:
                return f"{file} is {locked}"
    return "unshare --user fails"


def _folder() -> Path:
    """This user's, for the lock and the holder's pid; nobody else can have put anything there."""
    folder = Path(tempfile.gettempdir()) / f"ambicast-lab-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or folder.is_symlink():
        msg = f"{folder} is not yours alone: remove it"
        raise LabError(msg)
    return folder


def _lock() -> int:
    return os.open(_folder() / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _holder() -> int | None:
    """The process that holds this user's namespaces, if there is one."""
    with suppress(OSError, ValueError):
        pid = int((_folder() / "holder").read_text())
        if HOLDER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    return None


def _hold() -> int:
    """Make the namespaces; returns who holds them."""
    own = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--propagation", "private"]
    log = _folder() / "holder.log"
    log.unlink(missing_ok=True)
    try:
        process = lasting.start([*own, sys.executable, "-P", "-m", HOLDER], log)
    except lasting.NotReadyError as fault:
        words = str(fault).splitlines()
        msg = (
            "the lab needs root, or user namespaces, which are refused here: "
            f"{why_not()} ({words[-1] if words else 'no word why'})"
        )
        raise LabError(msg) from None
    (_folder() / "holder").write_text(f"{process.pid}\n")
    return process.pid


def _furnish() -> None:
    """Inside, as its root: what the lab expects of a system that is its own."""
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    etc = Path("/run/etc")
    if (UNPACKED / "usr").is_dir():
        _run("mount", "-t", "overlay", "-o", f"lowerdir={UNPACKED}/usr:/usr", "overlay", "/usr")
    # What this user may not read is left out; links become what they point to.
    for source in ("/etc", f"{UNPACKED}/etc"):
        copy = ["cp", "-rLn", f"{source}/.", str(etc)]
        subprocess.run(copy, check=False, stderr=subprocess.DEVNULL)
    for name in ("passwd", "group"):
        file = etc / name
        file.write_text(all_root(file.read_text()))
    _run("mount", "--bind", str(etc), "/etc")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib")
    for name in STATE:
        Path("/var/lib", name).mkdir()
    _run("ip", "link", "set", "lo", "up")


def all_root(table: str) -> str:
    """`/etc/passwd` or `/etc/group`, where all daemons of the lab have root's ids.

    Groups get root as their member: FRR looks for itself by name.
    """
    lines = [line for line in table.splitlines() if line]
    users = bool(lines) and lines[0].count(":") == USER_COLONS
    others = [line for line in lines if line.partition(":")[0] not in DAEMONS]
    ours = "{}:x:0:0::/:/bin/false" if users else "{}:x:0:root,frr"
    return "\n".join([*others, *map(ours.format, DAEMONS)]) + "\n"


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)


def main() -> None:
    """Furnish the namespaces this process was started in, and hold them."""
    _furnish()
    missing = [tool for tool in ("ip", "nft", "setpriv") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")
    sys.stdout.write("ready\n")
    sys.stdout.close()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
