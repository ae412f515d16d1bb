"""Become FRR's bfdd: no peers in its configuration, they come through its control socket.

zebra is not needed as long as no peer names an interface. bfdd drops to FRR's own user, so its
sockets lie in a folder of their own, which that user owns.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

PROGRAM = Path("/usr/lib/frr/bfdd")
USER, GROUP = "frr", "frr"


class LaunchError(Exception):
    """bfdd cannot be started; the text says why."""


def run_bfdd(socket: Path, program: Path = PROGRAM) -> NoReturn:
    """Becomes bfdd, with its control socket at ``socket``.

    Raises:
        LaunchError: FRR is not installed, or the socket's folder cannot be made ready.
    """
    if not program.exists():
        raise LaunchError(
            f"{program}: FRR's bfdd is not installed; leave `bfd` out, or install it"
        )
    folder = socket.parent
    try:
        configuration = make_ready(folder)
    except (OSError, LookupError) as fault:
        raise LaunchError(f"{folder}: not to be used by bfdd: {fault}") from None
    os.execv(program, arguments(program, socket, configuration))  # noqa: S606 - no shell


def make_ready(folder: Path) -> Path:
    """Makes ``folder``, FRR's if we may, and an empty configuration in it; gives its path."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "bfdd.conf"
    configuration.write_text("log stdout notifications\n")
    if os.geteuid() == 0:
        shutil.chown(folder, USER, GROUP)
        shutil.chown(configuration, USER, GROUP)
    return configuration


def arguments(program: Path, socket: Path, configuration: Path) -> list[str]:
    """bfdd's command line: control by ``socket`` alone, no terminal on any port."""
    folder = socket.parent
    return [
        str(program),
        *("-f", str(configuration)),
        *("--bfdctl", str(socket)),
        *("--vty_socket", str(folder)),
        *("-A", "127.0.0.1", "-P", "0"),
        *("-i", str(folder / "bfdd.pid")),
    ]
