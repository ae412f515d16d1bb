"""The frames of bfdd's control socket (FRR 8.4, ``--bfdctl``).

A frame is a head of eight bytes (length of the body, number, type, version 1; network byte order)
and a body: JSON, but for subscriptions, whose body is the number of the session subscribed to, or
all ones for every session. Whoever subscribes to all is told of every session there is, and from
then on of every change.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec

VERSION = 1
LARGEST = 2**20
_HEAD = struct.Struct("!IHBB")
_EVERY_SESSION = struct.pack("!Q", 2**64 - 1)


class Kind(IntEnum):
    """The frame types we know."""

    RESPONSE = 1
    ADD = 2
    NOTIFY = 4


class FrameError(ValueError):
    """What came is no frame of the version we know."""


class Frame(NamedTuple):
    """One frame; the number of a response is that of its request."""

    number: int
    kind: int
    body: bytes


def subscribe(number: int) -> bytes:
    """Asks for every session's state, now and whenever it changes."""
    return _frame(number, Kind.NOTIFY, _EVERY_SESSION)


def add(number: int, peers: dict[str, Any]) -> bytes:
    """Has peers watched; one that is there already is changed to what is given."""
    return _frame(number, Kind.ADD, msgspec.json.encode(peers))


def _frame(number: int, kind: Kind, body: bytes) -> bytes:
    return _HEAD.pack(len(body), number, kind, VERSION) + body


class Frames:
    """Cuts what arrives into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Every frame that ``data`` completes.

        Raises:
            FrameError: another version, or a length no frame has.
        """
        self._rest += data
        while len(self._rest) >= _HEAD.size:
            length, number, kind, version = _HEAD.unpack_from(self._rest)
            if version != VERSION or length > LARGEST:
                raise FrameError(f"version {version}, length {length}: version {VERSION} is known")
            end = _HEAD.size + length
            if len(self._rest) < end:
                return
            body, self._rest = self._rest[_HEAD.size : end], self._rest[end:]
            yield Frame(number, kind, body)
