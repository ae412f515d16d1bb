"""Deeds on disk, so that a restart withdraws nothing.

What a host did without an order is in no order, and an agent that forgot it would take it off the
wire. The file is replaced as a whole, like the order beside it; one that cannot be read is as good
as none. Instants in it are seconds since the Unix epoch, for people.

Deeds of another boot are none either. When the host goes, its ExaBGP and its routes go with it, so
there is nothing left to be kept; what the deeds were for may be long over, and advertising them
again would take traffic from a PoP that is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from ambicast.contract.messages import Deed
from ambicast.model.prefixes import PrefixError, network

log = structlog.get_logger()


class _File(msgspec.Struct):
    boot: str
    deeds: tuple[Deed, ...]


def read(path: Path, boot: str) -> tuple[Deed, ...]:
    """The deeds an earlier run of this boot left; none, with a log line, if they make no sense."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        if found.boot != boot:
            return ()
        return tuple(_sensible(found.deeds))
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, PrefixError) as fault:
        log.warning("kept deeds unreadable", file=str(path), why=str(fault))
        return ()


def write(path: Path, deeds: tuple[Deed, ...], boot: str) -> None:
    """Replace the file; nothing to keep is an empty list."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(_File(boot, deeds)))
    draft.replace(path)


def _sensible(found: tuple[Deed, ...]) -> Iterator[Deed]:
    for deed in found:
        prefixes = tuple(str(network(prefix)) for prefix in deed.prefixes)
        yield msgspec.structs.replace(deed, prefixes=prefixes)
