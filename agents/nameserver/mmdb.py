"""Writes a client map as a MaxMind DB, the file format Knot's geo module reads.

The format (MaxMind DB 2.0): a binary search tree of fixed-size nodes, 16 zero bytes, a data
section of typed values, and after a marker a map of metadata. Each node is two records; a record
below the node count is another node, one above it points into the data section. Here a record is
32 bits, IPv4 lies at ``::/96``, and every leaf's value is ``{"g": "<group>"}``.

The bytes depend on the map alone: the same map is the same file.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from agents.answering.tree import Branch

KEY = "g"

_GAP = bytes(16)
_MARKER = b"\xab\xcd\xefMaxMind.com"
_RECORD_BITS = 32
# Not the time, so that bytes depend on the map alone; not 0, which the reader library refuses.
_EPOCH = 1

# Type numbers of the format; those above 7 are "extended": type byte 0, then the number minus 7.
_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11


def render(tree: Branch) -> bytes:
    """The file for ``tree`` (see :func:`agents.answering.tree.grow`); its root must be a node."""
    nodes = _numbered(tree)
    number = {id(node): index for index, node in enumerate(nodes)}
    leaves = sorted({each for node in nodes for each in node if isinstance(each, str)})
    data = b""
    record: dict[str, int] = {}
    for leaf in leaves:
        record[leaf] = len(nodes) + len(_GAP) + len(data)
        data += _map({KEY: _string(leaf)})
    records = [
        record[each] if isinstance(each, str) else number[id(each)]
        for node in nodes
        for each in node
    ]
    search = struct.pack(f">{len(records)}I", *records)
    return search + _GAP + data + _MARKER + _metadata(len(nodes))


def _numbered(tree: Branch) -> list[list[Branch]]:
    """Every node, the root first and parents before children."""
    if isinstance(tree, str):
        raise ValueError(f"a map of one leaf ({tree!r}) has no search tree: split its root")
    nodes, pending = [], [tree]
    while pending:
        node = pending.pop()
        nodes.append(node)
        pending += [each for each in reversed(node) if isinstance(each, list)]
    return nodes


def _metadata(node_count: int) -> bytes:
    return _map(
        {
            "binary_format_major_version": _unsigned(2, _UINT16),
            "binary_format_minor_version": _unsigned(0, _UINT16),
            "build_epoch": _unsigned(_EPOCH, _UINT64),
            "database_type": _string("Ambicast-Client-Map"),
            "description": _map({}),
            "ip_version": _unsigned(6, _UINT16),
            "languages": _control(_ARRAY, 0),
            "node_count": _unsigned(node_count, _UINT32),
            "record_size": _unsigned(_RECORD_BITS, _UINT16),
        }
    )


def _map(fields: Mapping[str, bytes]) -> bytes:
    body = b"".join(_string(key) + value for key, value in fields.items())
    return _control(_MAP, len(fields)) + body


def _string(text: str) -> bytes:
    raw = text.encode()
    return _control(_STRING, len(raw)) + raw


def _unsigned(value: int, kind: int) -> bytes:
    raw = value.to_bytes(8, "big").lstrip(b"\0")
    return _control(kind, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    """Type and size of a value; sizes from 29 to 284 take a second byte."""
    short, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if kind > 7:
        return bytes([short, kind - 7]) + more
    return bytes([kind << 5 | short]) + more
