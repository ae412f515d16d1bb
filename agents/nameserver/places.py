"""Where the files of a nameserver are.

The geo module's two files (``geo.conf`` and ``map.mmdb``) belong together, so they stand in one
folder per map, and the symbolic link ``map`` is what Knot is told. Replacing the link switches
both in one step; a folder Knot may have mapped into memory is never written again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from agents.answering.generation import spell_stamp
from ambicast.contract.codec import Stamp


class Places(msgspec.Struct, frozen=True):
    """Paths under the nameserver's ``directory``, and Knot's control ``socket``."""

    directory: Path
    socket: Path

    @property
    def configuration(self) -> Path:
        return self.directory / "knot.conf"

    @property
    def zone(self) -> Path:
        return self.directory / "zone"

    @property
    def database(self) -> Path:
        return self.directory / "db"

    @property
    def live_map(self) -> Path:
        return self.directory / "map"

    @property
    def maps(self) -> Path:
        return self.directory / "maps"


def install_map(places: Places, stamp: Stamp, geo: str, mmdb: bytes) -> Path | None:
    """Writes a map's two files and makes them the ones Knot loads next; the former target."""
    folder = places.maps / spell_stamp(stamp)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "geo.conf", geo.encode())
    write(folder / "map.mmdb", mmdb)
    _sync(folder)
    return point(places, folder)


def point(places: Places, folder: Path) -> Path | None:
    """Makes ``folder`` the map Knot loads next; returns the former one."""
    former = places.live_map.resolve() if places.live_map.is_symlink() else None
    fresh = places.directory / "map.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.relative_to(places.directory))
    fresh.replace(places.live_map)
    _sync(places.directory)
    return former


def forget_maps(places: Places, keep: Path) -> None:
    """Removes every map but ``keep``."""
    for folder in places.maps.iterdir():
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)


def write(path: Path, content: bytes) -> None:
    """Replaces ``path`` as a whole; a reader sees the old file or the new, also after a crash."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
