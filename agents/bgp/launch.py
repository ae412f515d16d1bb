"""Become ExaBGP: write its files, then exec it in a session and process group of its own.

ExaBGP outlives the agent on purpose: BGP must stay up while the agent is restarted. So it is no
child of the agent's; the service manager starts it with this, beside the agent.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

from agents.bgp.configuration import Speaker, render

# Older ones let a neighbor inject lines into the stream the helper reads.
OLDEST = (5, 0, 13)
NEWEST_MAJOR = 5


class LaunchError(Exception):
    """ExaBGP cannot be started; the text says what is there and what is allowed."""


def run_exabgp(speaker: Speaker, directory: Path = Path("/run/ambicast")) -> NoReturn:
    """Writes ``exabgp.conf`` and ``exabgp.env`` into ``directory`` and becomes ExaBGP.

    Raises:
        LaunchError: no ExaBGP, a version that is not allowed, or a folder that cannot be written.
    """
    require_version()
    configuration, environment = write_files(speaker, directory)
    if os.getpgrp() != os.getpid():  # the leader of a group has one of its own already
        os.setsid()
    arguments = [sys.executable, "-P", "-m", "exabgp", "server", str(configuration)]
    os.execve(sys.executable, arguments, _clean(environment))  # noqa: S606 - no shell is wanted


def require_version() -> None:
    """Checks the installed ExaBGP: at least 5.0.13, and no other major than 5.

    Raises:
        LaunchError: it is missing or not allowed.
    """
    allowed = f"at least {'.'.join(map(str, OLDEST))} and below {NEWEST_MAJOR + 1} is allowed"
    try:
        found = version("exabgp")
    except PackageNotFoundError:
        raise LaunchError(f"exabgp is not installed for {sys.executable}: {allowed}") from None
    if not is_allowed(found):
        raise LaunchError(f"exabgp {found} is installed: {allowed}")


def is_allowed(text: str) -> bool:
    """Whether this version of ExaBGP speaks the dialect we know."""
    parts = text.split(".")[:3]
    if not all(part.isdigit() for part in parts):
        return False
    numbers = tuple(int(part) for part in parts)
    return numbers >= OLDEST and numbers[0] == NEWEST_MAJOR


def write_files(speaker: Speaker, directory: Path) -> tuple[Path, Path]:
    """Writes both files, readable by their owner only, and gives their paths.

    Raises:
        LaunchError: the speaker cannot be written down, or the folder not written to.
    """
    try:
        rendered = render(speaker)
    except ValueError as fault:
        raise LaunchError(str(fault)) from None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        paths = directory / "exabgp.conf", directory / "exabgp.env"
        for path, text in zip(paths, (rendered.configuration, rendered.environment), strict=True):
            path.touch(mode=0o600)
            path.write_text(text)
    except OSError as fault:
        raise LaunchError(f"cannot write ExaBGP's files into {directory}: {fault}") from None
    return paths


def _clean(environment: Path) -> dict[str, str]:
    """Our environment without settings of ExaBGP's that would override the file's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().startswith(("exabgp.", "exabgp_"))
    }
    return kept | {"EXABGP_ENVFILE": str(environment)}
