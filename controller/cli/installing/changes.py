"""What an installation changes: files and commands, first as values, then shown or carried out.

Because the whole change is a value, ``--dry-run`` shows exactly what would be done, and doing it
twice is doing it once: a file that already reads so is no change.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec


class InstallError(Exception):
    """It cannot be done; one line says what was found and what is allowed."""


class Put(msgspec.Struct, frozen=True):
    """This file shall read so; ``secret`` texts are never shown."""

    path: Path
    text: str
    mode: int = 0o644
    secret: bool = False


class Remove(msgspec.Struct, frozen=True):
    """This file shall not be there; or this folder, where it is a ``tree``."""

    path: Path
    tree: bool = False


class Command(msgspec.Struct, frozen=True):
    """One command, after the files."""

    argv: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.argv)


class Change(msgspec.Struct, frozen=True):
    """Everything to do, in order: ``before`` the files, the files, ``after`` them, what is last.

    ``last`` is only written where all else has succeeded.
    """

    files: tuple[Put | Remove, ...]
    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()
    last: tuple[Put, ...] = ()
    notes: tuple[str, ...] = ()


Run = Callable[[Sequence[str]], None]


def pending(root: Path, files: Sequence[Put | Remove]) -> tuple[Put | Remove, ...]:
    """The files that do not read as they shall."""
    return tuple(
        each
        for each in files
        if (text_at(root, each.path) != each.text if isinstance(each, Put) else _there(root, each))
    )


def shown(root: Path, change: Change) -> Iterator[str]:
    """Line by line: the commands, a unified diff of every file that changes, and the notes."""
    yield from (f"would run: {each}" for each in change.before)
    for each in pending(root, change.files):
        yield from _diff(root, each)
    yield from (f"would run: {each}" for each in change.after)
    for each in pending(root, change.last):
        yield from _diff(root, each)
    yield from (f"note: {each}" for each in change.notes)


def carry_out(root: Path, change: Change, run: Run) -> Iterator[str]:
    """Does it, telling each thing done.

    Raises:
        InstallError: a file could not be written, or a command failed; what came before is done.
    """
    yield from _all_run(change.before, run)
    yield from _all_done(root, change.files)
    yield from _all_run(change.after, run)
    yield from _all_done(root, change.last)
    yield from (f"note: {each}" for each in change.notes)


def really(argv: Sequence[str]) -> None:
    """Runs one command, with its output where ours goes.

    Raises:
        InstallError: it is not there, or failed.
    """
    try:
        code = subprocess.run(list(argv), check=False).returncode
    except OSError as fault:
        raise InstallError(f"{argv[0]}: {fault.strerror}") from None
    if code != 0:
        raise InstallError(f"{' '.join(argv)}: ended with {code}")


def text_at(root: Path, path: Path) -> str | None:
    """The file's text under ``root``; none where it cannot be read as text."""
    try:
        return inside(root, path).read_text()
    except (OSError, UnicodeDecodeError):
        return None


def inside(root: Path, path: Path) -> Path:
    """``path`` as it is called from outside ``root``."""
    return root / path.relative_to("/")


def _there(root: Path, each: Remove) -> bool:
    target = inside(root, each.path)
    return target.is_symlink() or target.exists()


def _diff(root: Path, each: Put | Remove) -> Iterator[str]:
    if isinstance(each, Remove):
        yield f"--- {each.path} (removed)"
        return
    if each.secret:
        yield f"+++ {each.path} (mode {each.mode:04o}, a secret: not shown)"
        return
    before = text_at(root, each.path)
    yield from difflib.unified_diff(
        (before or "").splitlines(),
        each.text.splitlines(),
        str(each.path) if before is not None else "/dev/null",
        str(each.path),
        lineterm="",
    )


def _all_done(root: Path, files: Sequence[Put | Remove]) -> Iterator[str]:
    for each in pending(root, files):
        try:
            yield _done(root, each)
        except OSError as fault:
            raise InstallError(f"{fault.filename}: {fault.strerror}") from None


def _done(root: Path, each: Put | Remove) -> str:
    target = inside(root, each.path)
    if isinstance(each, Remove):
        if each.tree and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        return f"removed {each.path}"
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)
    # "x": whoever else may write in that folder cannot lead us elsewhere by a link.
    with open(draft, "x", opener=_private) as file:
        file.write(each.text)
        os.fchmod(file.fileno(), each.mode)
    draft.replace(target)
    return f"wrote {each.path}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _all_run(commands: Sequence[Command], run: Run) -> Iterator[str]:
    for each in commands:
        yield f"running {each}"
        run(each.argv)
