"""Keys and passwords that lie where somebody chose: the service's user must be able to read them.

``/etc/ambicast`` is ours, and what lies there under its usual name is given to that user. A file
anywhere else may be somebody else's too. So it is given to the user only where it is root's, in
folders nobody else can change; otherwise the installation is refused before it has touched
anything, because a host whose agent cannot read its key is as good as none.

A file is given to one user. Where an agent and the controller share a machine they have a file
each; one that both would be given is refused, because they would take it from each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from controller.cli.installing import settings, system
from controller.cli.installing.changes import InstallError, inside
from controller.cli.installing.settings import ETC
from controller.cli.installing.units import CONTROLLER as CONTROLLER_UNITS
from controller.cli.installing.units import HIDDEN, TARGET

_PLAIN = re.compile(r"(/[\w.+@=,-]+)+", re.ASCII)
_LINK = "a symbolic link, which systemd-tmpfiles(8) does not follow"


class Party(msgspec.Struct, frozen=True):
    """Who reads secrets: its settings file, its user, and where they ``usual``-ly lie.

    It is installed where one of its ``traces`` is there: settings outlive an uninstallation.
    """

    name: str
    file: Path
    user: str
    usual: tuple[Path, ...]
    traces: tuple[Path, ...]


AGENT = Party(
    "agent",
    settings.AGENT,
    system.HOST_USER,
    settings.SECRETS,
    (system.OWNERS, TARGET / "ambicast-agent.service"),
)
CONTROLLER = Party(
    "controller",
    settings.CONTROLLER,
    system.CONTROLLER_USER,
    settings.CONTROLLER_SECRETS,
    (system.CONTROLLER_OWNERS, *(TARGET / name for name in CONTROLLER_UNITS)),
)


def given(root: Path, party: Party, written: Mapping[str, Any]) -> tuple[Path, ...]:
    """Secrets at places of somebody's choice, which the party's user is given.

    Raises:
        InstallError: one cannot be, or the other party on this machine is given it, too.
    """
    found = chosen(written, party.usual)
    for path in party.usual:
        if inside(root, path).is_symlink():
            raise InstallError(f"{path}: {_LINK}; the file itself, or its path in {party.file}")
    _unshared(root, party, {*party.usual, *(path for _, path in found)})
    ours(root, party.file, found, party.user)
    return tuple(path for _, path in found)


def _unshared(root: Path, party: Party, mine: set[Path]) -> None:
    other = CONTROLLER if party is AGENT else AGENT
    if not any(inside(root, each).exists() for each in other.traces):
        return
    known = settings.existing(root, other.file)
    theirs = {*other.usual, *(path for _, path in chosen(known, other.usual))}
    for path in sorted(mine & theirs):
        raise InstallError(
            f"{path}: the {party.name} ({party.file}) and the {other.name} ({other.file}) would "
            f"take it from each other; a file each is allowed, best {AGENT.usual[0]} and "
            f"{CONTROLLER.usual[0]}"
        )


def chosen(written: Mapping[str, Any], usual: tuple[Path, ...]) -> tuple[tuple[str, Path], ...]:
    """(setting, path) of every secret that does not lie at one of the ``usual`` places."""
    broker = written.get("broker")
    broker = broker if isinstance(broker, dict) else {}
    tls = broker.get("tls")
    tls = tls if isinstance(tls, dict) else {}
    named = {
        "watch_key_file": written.get("watch_key_file"),
        "broker.password_file": broker.get("password_file"),
        "broker.tls.key": tls.get("key"),
    }
    return tuple(
        (name, Path(str(path)))
        for name, path in named.items()
        if path is not None and Path(str(path)) not in usual
    )


def ours(root: Path, file: Path, secrets: tuple[tuple[str, Path], ...], user: str) -> None:
    """Whether each of the ``secrets`` named in ``file`` can be given to ``user``.

    Raises:
        InstallError: one cannot; says which, why, and what is allowed.
    """
    for name, path in secrets:
        if why := next(_hindrances(root, path, user), None):
            allowed = f"a file of root's that {user} can be given is allowed, best in {ETC}"
            raise InstallError(f"{file}: {name}: {path}: {why}; {allowed}")


def _hindrances(root: Path, path: Path, user: str) -> Iterator[str]:
    if not _PLAIN.fullmatch(str(path)) or ".." in path.parts:
        yield "not a plain absolute path"
        return
    if inside(root, path).is_symlink():
        yield _LINK
    if f"{path}".startswith(HIDDEN):
        yield f"units cannot see {', '.join(HIDDEN)}"
    try:
        if not inside(root, path).is_file():
            yield "no such file"
            return
        if not _owned(inside(root, path), root, user):
            yield f"it belongs to {_owner(inside(root, path))}"
        for folder in path.parents:
            there = inside(root, folder)
            if not _owned(there, root, user):
                yield f"the folder {folder} belongs to {_owner(there)}"
            if not _entered(there, user):
                yield f"only {_owner(there)} can enter the folder {folder}"
    except OSError as fault:
        yield str(fault.strerror)


def _owned(path: Path, root: Path, user: str) -> bool:
    """Whether it is root's (in an image: of whoever owns that), or the user's already."""
    return path.stat().st_uid in {0, root.stat().st_uid} or _owner(path) == user


def _entered(folder: Path, user: str) -> bool:
    mode = folder.stat().st_mode
    return bool(
        mode & 0o001
        or (mode & 0o010 and _group(folder) == user)
        or (mode & 0o100 and _owner(folder) == user)
    )


def _owner(path: Path) -> str:
    """The name of its owner; the number of one that this machine does not know."""
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _group(path: Path) -> str:
    try:
        return path.group()
    except KeyError:
        return str(path.stat().st_gid)
