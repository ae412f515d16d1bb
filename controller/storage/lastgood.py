"""The fleet the controller last started with, kept beside the journal.

A controller whose fleet file has a fault must not stay away: nobody would take over from a PoP
that dies. It starts with the fleet of its last start instead, which its journal fits, and says so.
What is kept is the fleet as it was understood, client files and all, in one file: so it cannot be
torn, and a release that refuses what the one before allowed still starts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from ambicast.files import FleetFileError, load_fleet
from ambicast.model.fleet import Fleet

log = structlog.get_logger()


class Found(msgspec.Struct, frozen=True):
    """A fleet to work with, and what people should know about it."""

    fleet: Fleet
    complaints: tuple[str, ...] = ()


def kept_beside(journal: Path) -> Path:
    """Where the fleet of the last start lies."""
    return journal.with_name(f"{journal.name}.fleet.json")


def fleet_to_start_with(file: Path, journal: Path) -> Found:
    """The fleet that ``file`` describes, or else the one of the last start.

    Raises:
        FleetFileError: ``file`` has faults, and nothing usable is kept beside ``journal``.
    """
    kept = kept_beside(journal)
    try:
        fleet = load_fleet(file)
    except FleetFileError as refused:
        return _last_good(kept, refused)
    try:
        _keep(kept, fleet)
    except OSError as fault:
        return Found(fleet, (f"{kept}: {fault.strerror}: the fleet is not kept",))
    return Found(fleet)


def _last_good(kept: Path, refused: FleetFileError) -> Found:
    try:
        fleet = msgspec.json.decode(kept.read_bytes(), type=Fleet)
    except (OSError, msgspec.MsgspecError):
        raise refused from None
    log.error("fleet file refused, starting with the last good one", faults=str(refused))
    first, *more = refused.faults
    others = f" (and {len(more)} more)" if more else ""
    return Found(fleet, (f"{first}{others}: starting with the last good fleet, {kept.name}",))


def _keep(path: Path, fleet: Fleet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(msgspec.json.encode(fleet))
    new.replace(path)
