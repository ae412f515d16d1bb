"""The watch on the wire: what a probe and a reply look like, and why they can be believed.

A datagram is ``magic(2) version(1) kind(1) nonce(8) body tag(16)``. The tag is HMAC-SHA256 over
everything before it, cut to 16 bytes (RFC 2104 section 5). The kind stands under the tag, so a
probe sent back to its sender is no reply. The nonce of a reply is that of the probe it answers: a
watcher believes only nonces it has sent lately and not yet seen answered, so a recording of
yesterday's replies proves nothing.

Bodies are msgpack. A probe's names the asker and what it asks for; it is there for people who
look at a capture. A reply's is a :class:`~agents.watch.words.Word`. Nothing is longer than 1200
bytes, which every IPv6 path carries in one piece (RFC 8200 section 5).
"""

from __future__ import annotations

import hmac
import struct
from enum import IntEnum, StrEnum
from functools import lru_cache

import msgspec

PORT = 4791
LARGEST = 1200

_MAGIC = b"Aw"
_VERSION = 1
_HEAD = struct.Struct("!2sBB8s")
_TAG = 16
_SMALLEST = _HEAD.size + _TAG
ROOM = LARGEST - _SMALLEST

NONCE = 8


class Kind(IntEnum):
    """What a datagram is."""

    PROBE = 1
    REPLY = 2


class Fault(StrEnum):
    """Why a datagram was dropped."""

    MALFORMED = "malformed"
    VERSION = "unknown version"
    FORGED = "wrong tag"


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """A datagram whose tag was right; ``body`` is still msgpack."""

    kind: int
    nonce: bytes
    body: bytes


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> hmac.HMAC:
    """The key's half of the work, done once: some hundred datagrams per second need it."""
    return hmac.new(key, digestmod="sha256")


def _tag(text: bytes, key: bytes) -> bytes:
    seal = _keyed(key).copy()
    seal.update(text)
    return seal.digest()[:_TAG]


def seal(kind: Kind, nonce: bytes, body: bytes, key: bytes) -> bytes:
    """The datagram; ``body`` must leave room for head and tag."""
    text = _HEAD.pack(_MAGIC, _VERSION, kind, nonce) + body
    return text + _tag(text, key)


def unseal(datagram: bytes, key: bytes) -> Sealed | Fault:
    """What stands in ``datagram`` if its tag is right, else why it is dropped."""
    if not _SMALLEST <= len(datagram) <= LARGEST or not datagram.startswith(_MAGIC):
        return Fault.MALFORMED
    if datagram[2] != _VERSION:
        return Fault.VERSION
    text = datagram[:-_TAG]
    if not hmac.compare_digest(_tag(text, key), datagram[-_TAG:]):
        return Fault.FORGED
    return Sealed(datagram[3], datagram[4 : _HEAD.size], text[_HEAD.size :])


def ask(pop: str, host: str, about: str) -> bytes:
    """A probe's body: who asks, and for which path or prefix."""
    return msgspec.msgpack.encode((pop, host, about))[:ROOM]
