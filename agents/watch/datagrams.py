"""The watch on the wire: what a probe and a reply look like, and why they can be believed.

A datagram is ``magic(2) version(1) kind(1) nonce(8) body tag(16)``. The tag is HMAC-SHA256 over
everything before it, cut to 16 bytes (RFC 2104 section 5). The kind stands under the tag, so a
probe sent back to its sender is no reply. The nonce of a reply is that of the probe it answers: a
watcher believes only nonces it has sent lately and not yet seen answered, so a recording of
yesterday's replies proves nothing.

Bodies are msgpack. A probe's names the asker and what it asks for; it is there for people who
look at a capture. A reply's is :class:`Word`. Nothing is longer than 1200 bytes, which every
IPv6 path carries in one piece (RFC 8200 section 5).
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum

import msgspec

from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family

PORT = 4791
LARGEST = 1200

_MAGIC = b"Aw"
_VERSION = 1
_HEAD = struct.Struct("!2sBB8s")
_TAG = 16
_SMALLEST = _HEAD.size + _TAG
_ROOM = LARGEST - _SMALLEST

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


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What a host says of itself in each reply, so that a quorum works without the broker.

    Attributes:
        pop: the PoP that answers.
        host: its host.
        instance: which run of its agent; another one means that it restarted.
        fit: names of the services that pass their checks there.
        seen: PoP -> uplink -> how its paths look from there, as bits: 1 v4 up, 2 v4 judged,
            4 v6 up, 8 v6 judged.
        whole: false where ``seen`` was cut to fit the datagram.
    """

    pop: str
    host: str
    instance: str
    fit: tuple[str, ...] = ()
    seen: Mapping[str, Mapping[str, int]] = {}
    whole: bool = True


_WORD = msgspec.msgpack.Decoder(Word)


def seal(kind: Kind, nonce: bytes, body: bytes, key: bytes) -> bytes:
    """The datagram; ``body`` must leave room for head and tag."""
    text = _HEAD.pack(_MAGIC, _VERSION, kind, nonce) + body
    return text + hmac.digest(key, text, "sha256")[:_TAG]


def unseal(datagram: bytes, key: bytes) -> Sealed | Fault:
    """What stands in ``datagram`` if its tag is right, else why it is dropped."""
    if not _SMALLEST <= len(datagram) <= LARGEST or not datagram.startswith(_MAGIC):
        return Fault.MALFORMED
    if datagram[2] != _VERSION:
        return Fault.VERSION
    text = datagram[:-_TAG]
    if not hmac.compare_digest(hmac.digest(key, text, "sha256")[:_TAG], datagram[-_TAG:]):
        return Fault.FORGED
    return Sealed(datagram[3], datagram[4 : _HEAD.size], text[_HEAD.size :])


def ask(pop: str, host: str, about: str) -> bytes:
    """A probe's body: who asks, and for which path or prefix."""
    return msgspec.msgpack.encode((pop, host, about))[:_ROOM]


def say(word: Word) -> bytes:
    """A reply's body; ``seen`` is cut where it does not fit, first to PoPs with a path down."""
    body = msgspec.msgpack.encode(word)
    if len(body) <= _ROOM:
        return body
    troubled = {pop: paths for pop, paths in word.seen.items() if any(map(_down, paths.values()))}
    for kept in (troubled, {}):
        body = msgspec.msgpack.encode(msgspec.structs.replace(word, seen=kept, whole=False))
        if len(body) <= _ROOM:
            return body
    bare = msgspec.structs.replace(word, seen={}, fit=(), whole=False)
    return msgspec.msgpack.encode(bare)


def read_word(body: bytes) -> Word | Fault:
    """The word in a reply's body."""
    try:
        return _WORD.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Fault.MALFORMED


_BITS = {Family.V4: (1, 2), Family.V6: (4, 8)}


def in_bits(sightings: Iterable[Sighting]) -> dict[str, dict[str, int]]:
    """Sightings in the short form replies carry."""
    found: dict[str, dict[str, int]] = {}
    for each in sightings:
        up, judged = _BITS[each.family]
        uplinks = found.setdefault(each.pop, {})
        uplinks[each.uplink] = uplinks.get(each.uplink, 0) | judged | (up if each.up else 0)
    return found


def from_bits(seen: Mapping[str, Mapping[str, int]]) -> tuple[Sighting, ...]:
    """The sightings behind the short form (without their instants)."""
    return tuple(
        Sighting(pop=pop, uplink=uplink, family=family, up=bool(bits & up))
        for pop, uplinks in seen.items()
        for uplink, bits in uplinks.items()
        for family, (up, judged) in _BITS.items()
        if bits & judged
    )


def _down(bits: int) -> bool:
    return any(bits & judged and not bits & up for up, judged in _BITS.values())
