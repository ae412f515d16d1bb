"""What a host's programs leave behind on the disk: named one by one.

The folders are whatever ``agent.yaml`` says; somebody may have chosen one in which other things
lie, so no folder is taken away as a whole but those that are certainly ours. Each file also has a
draft, which stays where its writer was ended half-way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controller.cli.installing import settings
from controller.cli.installing.changes import InstallError, Remove

BRAKE = ("brake.json", "frozen.json")
MEMORY = (
    "order.json",
    "order.distrusted.json",
    "starts.json",
    "deeds.json",
    "falls.json",
    "proven.json",
)
NAMESERVER = ("knot.conf", "zone", "map")
NAMESERVER_TREES = ("maps", "db")


def brake(root: Path) -> Iterator[Remove]:
    """What would rule the next agent of this host."""
    for name in BRAKE:
        yield from _with_draft(_state(_settings(root)) / name, ".draft")


def memory(root: Path) -> Iterator[Remove]:
    """All else that agent and nameserver keep."""
    known = _settings(root)
    for name in MEMORY:
        yield from _with_draft(_state(known) / name, ".draft")
    knot = known.get("knot")
    folder = knot.get("directory") if isinstance(knot, dict) else None
    folder = Path(str(folder or settings.STATE / "knot"))
    for name in NAMESERVER:
        yield Remove(folder / name)
        yield Remove(folder / f"{name}.new")
    for name in NAMESERVER_TREES:
        yield Remove(folder / name, tree=True)


def _settings(root: Path) -> Mapping[str, Any]:
    try:
        return settings.existing(root, settings.AGENT)
    except InstallError:
        return {}


def _state(known: Mapping[str, Any]) -> Path:
    return Path(str(known.get("state_dir", settings.STATE)))


def _with_draft(path: Path, suffix: str) -> Iterator[Remove]:
    yield Remove(path)
    yield Remove(path.with_suffix(suffix))
