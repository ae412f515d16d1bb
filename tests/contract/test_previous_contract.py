"""The release before this one and this one understand each other, whatever either says.

``previous/`` is that release's contract, frozen: messages, encoding, and the types inside them.
"""

from __future__ import annotations

import json
from enum import Enum

import msgspec
import pytest
from hypothesis import given

from ambicast.contract import codec, messages
from tests.contract import strategies
from tests.contract.previous import codec as previous
from tests.contract.previous import messages as previous_messages
from tests.contract.test_codec import STAMPS

OLD = sorted(previous_messages.Body.__subclasses__(), key=lambda kind: kind.__name__)
NEW = {strategies.tag(kind): kind for kind in strategies.KINDS}


def agree(old, new):
    """Whether everything the old side can say of it is the same on the new one."""
    if isinstance(old, msgspec.Struct):
        return all(agree(getattr(old, f), getattr(new, f)) for f in old.__struct_fields__)
    if isinstance(old, tuple):
        return len(old) == len(new) and all(map(agree, old, new))
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(agree(old[key], new[key]) for key in old)
    if isinstance(old, Enum):
        return old.value == new.value
    return old == new


def gained(old, new):
    """Every (struct of today, field that the old side has no word for) inside ``new``."""
    if isinstance(new, msgspec.Struct):
        for field in msgspec.structs.fields(type(new)):
            if field.name in old.__struct_fields__:
                yield from gained(getattr(old, field.name), getattr(new, field.name))
            else:
                yield new, field
    elif isinstance(new, tuple):
        for one, other in zip(old, new, strict=True):
            yield from gained(one, other)
    elif isinstance(new, dict):
        for key in new:
            yield from gained(old[key], new[key])


def test_nothing_was_taken_away():
    assert {strategies.tag(kind) for kind in OLD} <= set(NEW)


@given(strategies.messages(), STAMPS)
def test_what_this_release_sends_the_one_before_understands(message, stamp):
    payload = codec.encode(message, stamp)
    assert "must_understand" not in json.loads(payload)
    received = previous.decode(payload)
    assert received.stamp == previous.Stamp(stamp.epoch, stamp.generation)
    assert strategies.tag(type(received.body)) == strategies.tag(type(message))
    assert agree(received.body, message)


@given(strategies.messages(OLD), STAMPS)
def test_what_the_release_before_sends_this_one_understands(message, stamp):
    payload = previous.encode(message, previous.Stamp(stamp.epoch, stamp.generation))
    received = codec.decode(payload)
    assert received.stamp == stamp
    assert type(received.body) is NEW[strategies.tag(type(message))]
    assert agree(message, received.body)
    for struct, field in gained(message, received.body):
        assert getattr(struct, field.name) == field.default


def test_what_agents_read_as_texts_stays_texts():
    """Contingencies are elsewhere, because the release before reads texts in this field."""
    order = messages.Order(
        advertisements=(), terminate=(), when_lost=(messages.Contingency(lost="fra"),)
    )
    assert previous.decode(codec.encode(order)).body.contingencies == ()


@pytest.mark.parametrize("bad", [b'"v":2', b'"v":1,"must_understand":["slices"]'])
def test_both_refuse_what_neither_can_understand(bad):
    payload = codec.encode(messages.Presence(online=True, instance="a", since=0.0))
    spoiled = payload.replace(b'"v":1', bad)
    with pytest.raises(codec.ContractError):
        codec.decode(spoiled)
    with pytest.raises(previous.ContractError):
        previous.decode(spoiled)
