"""Knot's control protocol as bytes: units, and what they carry. No IO.

A unit is one byte (its kind) and any number of items: a byte ``16 + index`` for the field, two
bytes of length, the text. A command is one or more DATA units with the same command name, closed
by a BLOCK; the reply to each BLOCK is DATA units (found records, or one error per faulty unit),
again closed by a BLOCK. END says that no more commands follow. (Knot's ``libknot/control``; pinned
by tests/behaviour/knot.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum

FIELDS = (
    "command",
    "flags",
    "error",
    "section",
    "item",
    "id",
    "zone",
    "owner",
    "ttl",
    "type",
    "data",
    "filter",
)
_FIRST_FIELD = 16
_CODES = {name: _FIRST_FIELD + index for index, name in enumerate(FIELDS)}
_ITEM = struct.Struct(">BH")

Unit = Mapping[str, str]


class Kind(IntEnum):
    """What a unit is."""

    END = 0
    DATA = 1
    EXTRA = 2
    BLOCK = 3


class WireError(Exception):
    """Bytes that are not Knot's control protocol."""


def spell_block(units: Iterable[Unit]) -> bytes:
    """One command: its DATA units and the BLOCK that closes it."""
    return b"".join(_spell_unit(unit) for unit in units) + bytes([Kind.BLOCK])


def spell_end() -> bytes:
    """No more commands on this connection."""
    return bytes([Kind.END])


def _spell_unit(unit: Unit) -> bytes:
    parts = [bytes([Kind.DATA])]
    for name, text in unit.items():
        raw = text.encode()
        parts.append(_ITEM.pack(_CODES[name], len(raw)) + raw)
    return b"".join(parts)


class Reader:
    """Cuts arriving bytes into reply blocks, each a list of its DATA units."""

    def __init__(self) -> None:
        self._rest = b""
        self._units: list[dict[str, str]] = []

    def feed(self, chunk: bytes) -> Iterator[list[dict[str, str]]]:
        """The blocks that ``chunk`` completes."""
        self._rest += chunk
        at = 0
        while (step := self._item_length(at)) is not None:
            code, text = self._rest[at], self._rest[at + 3 : at + step]
            at += step
            if code == Kind.BLOCK:
                done, self._units = self._units, []
                yield done
            else:
                self._take(code, text)
        self._rest = self._rest[at:]

    def _take(self, code: int, text: bytes) -> None:
        if code in {Kind.DATA, Kind.EXTRA}:
            self._units.append({})
        elif code >= _FIRST_FIELD:
            if not self._units or code - _FIRST_FIELD >= len(FIELDS):
                raise WireError(f"field {code} outside a unit, or unknown")
            self._units[-1][FIELDS[code - _FIRST_FIELD]] = text.decode()
        elif code != Kind.END:
            raise WireError(f"unit kind {code}; known are 0 to 3")

    def _item_length(self, at: int) -> int | None:
        """How long the item at ``at`` is, or none while it is not there as a whole."""
        if at >= len(self._rest):
            return None
        if self._rest[at] < _FIRST_FIELD:
            return 1
        if at + _ITEM.size > len(self._rest):
            return None
        _, size = _ITEM.unpack_from(self._rest, at)
        whole: int = _ITEM.size + size
        return whole if at + whole <= len(self._rest) else None
