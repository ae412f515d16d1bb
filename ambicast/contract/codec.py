"""Bytes to message and back: bounded, versioned, one error type that says why.

The envelope is ``{"type", "v", "epoch", "generation", "body", "kid", "sig"}`` in UTF-8 JSON, at
most 256 KiB. Unknown fields are ignored, an unknown ``v`` or ``type`` is refused, and so is any
name in ``must_understand`` that this reader does not know.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from ambicast.contract.messages import LARGEST_NUMBER, Body, Message

VERSION = 1
LARGEST_PAYLOAD = 256 * 1024

# Texts quote the sender, who may have much to say.
LONGEST_TEXT = 500
# Extensions this reader honours when a sender insists; none so far.
UNDERSTOOD: frozenset[str] = frozenset()


class Flaw(StrEnum):
    """What can be wrong with a payload, for counting."""

    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    UNKNOWN_VERSION = "unknown-version"
    MUST_UNDERSTAND = "must-understand"
    BAD_STAMP = "bad-stamp"
    UNKNOWN_TYPE = "unknown-type"
    MISPLACED = "misplaced"  # a good message where it does not belong


class ContractError(Exception):
    """A payload that is no valid message; the text says what was wrong and what is allowed."""

    def __init__(self, text: str, flaw: Flaw = Flaw.MALFORMED) -> None:
        super().__init__(text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}...")
        self.flaw = flaw


class Stamp(msgspec.Struct, frozen=True, order=True):
    """Who gave an order, and which of theirs it is. Ordered: the newer one wins (I12)."""

    epoch: int = 0
    generation: int = 0


class Received(msgspec.Struct, frozen=True):
    """A decoded message with its stamp."""

    stamp: Stamp
    body: Message


class _Envelope(msgspec.Struct):
    type: str
    v: int
    epoch: int
    generation: int
    body: msgspec.Raw
    must_understand: tuple[str, ...] = ()


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_BODIES: dict[str, msgspec.json.Decoder[Any]] = {
    str(kind.__struct_config__.tag): msgspec.json.Decoder(kind) for kind in Body.__subclasses__()
}
_ENCODER = msgspec.json.Encoder()


def encode(body: Message, stamp: Stamp = Stamp()) -> bytes:  # noqa: B008 - frozen, so shareable
    """The envelope around ``body`` as bytes; raises :class:`ContractError` when too large."""
    payload = _ENCODER.encode(
        {
            "type": body.__struct_config__.tag,
            "v": VERSION,
            "epoch": stamp.epoch,
            "generation": stamp.generation,
            "body": body,
            "kid": None,
            "sig": None,
        }
    )
    if len(payload) > LARGEST_PAYLOAD:
        message = f"a message of {len(payload)} bytes; at most {LARGEST_PAYLOAD} are allowed"
        raise ContractError(message, Flaw.OVERSIZED)
    return payload


def decode(payload: bytes) -> Received:
    """The message in ``payload``; raises :class:`ContractError` that says why not."""
    if len(payload) > LARGEST_PAYLOAD:
        message = f"a payload of {len(payload)} bytes; at most {LARGEST_PAYLOAD} are allowed"
        raise ContractError(message, Flaw.OVERSIZED)
    try:
        envelope = _ENVELOPE.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ContractError(str(fault)) from None
    stamp = _stamp(envelope)
    if envelope.type not in _BODIES:
        message = f"type {envelope.type!r}; known are {', '.join(sorted(_BODIES))}"
        raise ContractError(message, Flaw.UNKNOWN_TYPE)
    try:
        body = _BODIES[envelope.type].decode(envelope.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        message = f"{envelope.type}: {fault}"
        raise ContractError(message) from None
    return Received(stamp, body)


def _stamp(envelope: _Envelope) -> Stamp:
    """The stamp of a message that this reader may read."""
    if envelope.v != VERSION:
        message = f"version {_short(envelope.v)}; this reader knows {VERSION}"
        raise ContractError(message, Flaw.UNKNOWN_VERSION)
    unknown = set(envelope.must_understand) - UNDERSTOOD
    if unknown:
        message = f"must understand {sorted(unknown)}; this reader knows {sorted(UNDERSTOOD)}"
        raise ContractError(message, Flaw.MUST_UNDERSTAND)
    epoch, generation = envelope.epoch, envelope.generation
    if epoch < 0 or generation < 0:
        message = f"epoch {_short(epoch)}, generation {_short(generation)}: both must be >= 0"
        raise ContractError(message, Flaw.BAD_STAMP)
    if max(epoch, generation) > LARGEST_NUMBER:
        message = f"epoch {_short(epoch)}, generation {_short(generation)}: at most 2^53 - 1"
        raise ContractError(message, Flaw.BAD_STAMP)
    return Stamp(epoch, generation)


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**20 else "of more than 20 digits"
