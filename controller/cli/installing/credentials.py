"""Keys and passwords that lie where somebody chose: the service's user must be able to read them.

``/etc/ambicast`` is ours, and what lies there under its usual name is given to that user. A file
anywhere else may be somebody else's too. So it is given to the user only where it is root's, in
folders nobody else can change; otherwise the installation is refused before it has touched
anything, because a host whose agent cannot read its key is as good as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controller.cli.installing.changes import InstallError, inside
from controller.cli.installing.settings import ETC
from controller.cli.installing.units import HIDDEN

_PLAIN = re.compile(r"(/[\w.+@=,-]+)+", re.ASCII)


def chosen(settings: Mapping[str, Any], usual: tuple[Path, ...]) -> tuple[tuple[str, Path], ...]:
    """(setting, path) of every secret that does not lie at one of the ``usual`` places."""
    broker = settings.get("broker")
    broker = broker if isinstance(broker, dict) else {}
    tls = broker.get("tls")
    tls = tls if isinstance(tls, dict) else {}
    named = {
        "watch_key_file": settings.get("watch_key_file"),
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
