"""Reads the fleet file and what it refers to: bytes in, a fleet or every fault out."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec

from ambicast.files.addresses import check_addresses
from ambicast.files.building import build
from ambicast.files.clients import Row, groups_of, read_rows
from ambicast.files.document import ANY, Document, Found, compose
from ambicast.files.faults import Fault, FleetFileError, Severity
from ambicast.files.raw import RawFleet
from ambicast.files.reader import BROKEN, read
from ambicast.files.references import check_references
from ambicast.files.sizes import check_sizes
from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import GroupName

LARGEST_FILE = 64 * 1024 * 1024


class _Reading(msgspec.Struct, frozen=True):
    raw: RawFleet | None
    groups: dict[GroupName, ClientGroup]
    faults: tuple[Fault, ...]


def load_fleet(path: Path) -> Fleet:
    """The fleet that the file at ``path`` describes.

    Raises:
        FleetFileError: the file has faults of severity error; it names every one of them.
    """
    reading = _read(path)
    errors = tuple(fault for fault in reading.faults if fault.severity is Severity.ERROR)
    if errors or reading.raw is None:
        raise FleetFileError(errors)
    return build(reading.raw, reading.groups)


def validate(path: Path) -> tuple[Fault, ...]:
    """Every fault and warning of the fleet file and its client files, by file and line."""
    return _read(path).faults


def _read(path: Path) -> _Reading:
    document = Document(str(path))
    text = _text(path)
    if isinstance(text, _Unreadable):
        document.add(1, (), text.why, text.allowed)
        return _Reading(None, {}, tuple(document.faults))
    node = compose(document, text)
    if node is None:
        return _Reading(None, {}, tuple(document.faults))
    raw = read(document, node, RawFleet)
    check_references(document)
    check_addresses(document)
    groups, faults = _clients(document, path.parent)
    if raw is not BROKEN and not any(
        each.severity is Severity.ERROR for each in (*document.faults, *faults)
    ):
        check_sizes(document, build(cast("RawFleet", raw), groups))
    every = sorted(
        {*document.faults, *faults}, key=lambda at: (at.file != str(path), at.file, at.line)
    )
    return _Reading(None if raw is BROKEN else cast("RawFleet", raw), groups, tuple(every))


def _clients(
    document: Document, folder: Path
) -> tuple[dict[GroupName, ClientGroup], tuple[Fault, ...]]:
    rows: list[Row] = []
    faults: list[Fault] = []
    for file in document.find("clients", "sources", ANY, "file"):
        some, wrong = _source(document, folder, file)
        rows += some
        faults += wrong
    groups, between = groups_of(tuple(rows))
    return groups, (*faults, *between)


def _source(
    document: Document, folder: Path, file: Found
) -> tuple[tuple[Row, ...], tuple[Fault, ...]]:
    path = folder / file.value
    text = _text(path)
    if isinstance(text, _Unreadable):
        document.fault(file, f"{file.value}, {text.why}", text.allowed)
        return (), ()
    return read_rows(str(path), text)


class _Unreadable(msgspec.Struct, frozen=True):
    why: str
    allowed: str


def _text(path: Path) -> str | _Unreadable:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return _Unreadable("a file that is too large", f"at most {LARGEST_FILE} bytes")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        return _Unreadable(f"a byte that is not UTF-8 (at offset {fault.start})", "UTF-8 text")
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        return _Unreadable(f"a file that cannot be read ({why})", "a readable file")
