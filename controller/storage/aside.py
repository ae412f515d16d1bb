"""Setting a journal aside that makes no sense: kept for people, out of the program's way."""

from __future__ import annotations

from itertools import count
from pathlib import Path

# SQLite's own files beside the base; a leftover log must never be applied to a new base.
_SIDE_FILES = ("", "-wal", "-shm")


def set_aside(path: Path) -> Path:
    """Renames the journal and what belongs to it; returns the new name. Raises ``OSError``."""
    aside = next(
        each
        for number in count(1)
        if not (each := path.with_name(f"{path.name}.unreadable-{number}")).exists()
    )
    for suffix in _SIDE_FILES:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
