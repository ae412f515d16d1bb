"""Bytes to message and back: bounded, versioned, one error type that says why.

The envelope is ``{"type", "v", "epoch", "generation", "body", "kid", "sig"}`` in UTF-8 JSON, at
most 256 KiB. Unknown fields are ignored, an unknown ``v`` or ``type`` is refused, and so is any
name in ``must_understand`` that this reader does not know.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tests.contract.previous.messages import Body, Message

VERSION = 1
LARGEST_PAYLOAD = 256 * 1024

# Extensions this reader honours when a sender insists; none so far.
UNDERSTOOD: frozenset[str] = frozenset()


class ContractError(Exception):
    """A payload that is no valid message; the text says what was wrong and what is allowed."""


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
        raise ContractError(message)
    return payload


def decode(payload: bytes) -> Received:
    """The message in ``payload``; raises :class:`ContractError` that says why not."""
    if len(payload) > LARGEST_PAYLOAD:
        message = f"a payload of {len(payload)} bytes; at most {LARGEST_PAYLOAD} are allowed"
        raise ContractError(message)
    try:
        envelope = _ENVELOPE.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ContractError(str(fault)) from None
    if envelope.v != VERSION:
        message = f"version {envelope.v}; this reader knows {VERSION}"
        raise ContractError(message)
    unknown = set(envelope.must_understand) - UNDERSTOOD
    if unknown:
        message = f"must understand {sorted(unknown)}; this reader knows {sorted(UNDERSTOOD)}"
        raise ContractError(message)
    if envelope.epoch < 0 or envelope.generation < 0:
        message = f"epoch {envelope.epoch}, generation {envelope.generation}: both must be >= 0"
        raise ContractError(message)
    if envelope.type not in _BODIES:
        message = f"type {envelope.type!r}; known are {', '.join(sorted(_BODIES))}"
        raise ContractError(message)
    try:
        body = _BODIES[envelope.type].decode(envelope.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        message = f"{envelope.type}: {fault}"
        raise ContractError(message) from None
    return Received(Stamp(envelope.epoch, envelope.generation), body)
