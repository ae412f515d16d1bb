"""A small reader of MaxMind DB files: as much of the format as our writer uses."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

MARKER = b"\xab\xcd\xefMaxMind.com"


class Found(NamedTuple):
    """The value of an address, and the depth of its leaf in the 128 bits of the tree."""

    value: object
    depth: int


def metadata(raw):
    """What the file says about itself."""
    return value(raw, raw.rindex(MARKER) + len(MARKER))[0]


def look_up(raw, text):
    """What the file says about an address; IPv4 is looked up at ``::/96``."""
    about = metadata(raw)
    count, size = about["node_count"], about["record_size"] // 8
    key = int(ipaddress.ip_address(text))
    node, depth = 0, 0
    while node < count:
        bit = key >> (127 - depth) & 1
        at = (2 * node + bit) * size
        node = int.from_bytes(raw[at : at + size], "big")
        depth += 1
    data = 2 * size * count + 16
    return Found(value(raw, data + node - count - 16)[0], depth)


def value(raw, at):
    """The value at an offset, and the offset behind it."""
    kind, size, at = raw[at] >> 5, raw[at] & 31, at + 1
    if kind == 0:
        kind, at = raw[at] + 7, at + 1
    if size == 29:
        size, at = 29 + raw[at], at + 1
    if kind == 2:
        return raw[at : at + size].decode(), at + size
    if kind in {5, 6, 9}:
        return int.from_bytes(raw[at : at + size], "big"), at + size
    if kind == 11:
        return _array(raw, at, size)
    assert kind == 7, f"type {kind} is not written"
    return _map(raw, at, size)


def _map(raw, at, size):
    found = {}
    for _ in range(size):
        key, at = value(raw, at)
        found[key], at = value(raw, at)
    return found, at


def _array(raw, at, size):
    found = []
    for _ in range(size):
        each, at = value(raw, at)
        found.append(each)
    return found, at
