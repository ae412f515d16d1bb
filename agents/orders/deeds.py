"""Deeds on disk, so that a restart withdraws nothing.

What a host did without an order is in no order, and an agent that forgot it would take it off the
wire. The file is replaced as a whole, like the order beside it; one that cannot be read is as good
as none. Instants in it are seconds since the Unix epoch, for people.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from ambicast.contract.messages import Deed
from ambicast.model.prefixes import PrefixError, network

log = structlog.get_logger()


def read(path: Path) -> tuple[Deed, ...]:
    """The deeds an earlier run left; none, and a line in the log, where they make no sense."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=tuple[Deed, ...])
        return tuple(_sensible(found))
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, PrefixError) as fault:
        log.warning("kept deeds unreadable", file=str(path), why=str(fault))
        return ()


def write(path: Path, deeds: tuple[Deed, ...]) -> None:
    """Replace the file; nothing to keep is an empty list."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(deeds))
    draft.replace(path)


def _sensible(found: tuple[Deed, ...]) -> Iterator[Deed]:
    for deed in found:
        prefixes = tuple(str(network(prefix)) for prefix in deed.prefixes)
        yield msgspec.structs.replace(deed, prefixes=prefixes)
