"""What is sent arrives the same; what is no message is refused with one clear error."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambicast.contract.codec import (
    LARGEST_PAYLOAD,
    VERSION,
    ContractError,
    Stamp,
    decode,
    encode,
)
from ambicast.contract.messages import Order, Presence, Steering
from tests.contract import strategies

STAMPS = st.builds(Stamp, st.integers(0, 2**31), st.integers(0, 2**31))
PRESENCE = Presence(online=True, instance="a1", since=1.0)


def envelope(**changes):
    return json.dumps(json.loads(encode(PRESENCE, Stamp(7, 41))) | changes).encode()


@given(strategies.messages(), STAMPS)
def test_what_is_sent_arrives_the_same(message, stamp):
    received = decode(encode(message, stamp))
    assert received.body == message
    assert type(received.body) is type(message)
    assert received.stamp == stamp


@given(strategies.messages(), STAMPS)
def test_the_envelope_is_what_the_contract_says(message, stamp):
    sent = json.loads(encode(message, stamp))
    assert list(sent) == ["type", "v", "epoch", "generation", "body", "kid", "sig"]
    assert sent["type"] == strategies.tag(type(message))
    assert (sent["v"], sent["epoch"], sent["generation"]) == (1, stamp.epoch, stamp.generation)


@given(strategies.messages())
def test_fields_from_the_future_are_ignored(message):
    sent = json.loads(encode(message))
    sent["hop"] = {"by": 1}
    sent["body"]["colour"] = ["red"]
    assert decode(json.dumps(sent).encode()).body == message


@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    with pytest.raises(ContractError):
        decode(noise)


@given(strategies.messages(), st.data())
def test_a_message_that_was_cut_or_bent_is_refused_or_still_a_message(message, data):
    sent = bytearray(encode(message))
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] ^= data.draw(st.integers(1, 255))
    for spoiled in (bytes(sent), bytes(sent[:at])):
        with contextlib.suppress(ContractError):
            assert decode(spoiled).body


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "truncated"),
        (b"null", "Expected `object`"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b'{"type": "order", "v": 1', "truncated"),
        (b'{"type": "order"}', "missing required field"),
        (b"[" * 2000, "Expected `object`"),
        (envelope(v=2), "version 2; this reader knows 1"),
        (envelope(v="1"), "Expected `int`"),
        (envelope(type="oracle"), "type 'oracle'; known are controller-presence, map"),
        (envelope(type=["order"]), "Expected `str`"),
        (envelope(epoch=-1), "epoch -1, generation 41: both must be >= 0"),
        (envelope(generation=-5), "generation -5"),
        (envelope(epoch=1.5), "Expected `int`"),
        (envelope(must_understand=["slices", "a"]), r"must understand \['a', 'slices'\]"),
        (envelope(body={"online": True}), "presence: .*missing required field"),
        (envelope(body={"online": 1, "instance": "a", "since": 0}), r"presence: .*\$.online"),
        (envelope(body=None), "presence: Expected `object`"),
    ],
)
def test_what_is_no_message_is_refused_and_the_reason_given(payload, says):
    with pytest.raises(ContractError, match=says):
        decode(payload)


def test_a_type_does_not_decode_as_another():
    with pytest.raises(ContractError, match="order: "):
        decode(envelope(type="order"))


def test_nothing_to_understand_is_understood():
    assert decode(envelope(must_understand=[])).body == PRESENCE


@pytest.mark.parametrize(("size", "fits"), [(LARGEST_PAYLOAD, True), (LARGEST_PAYLOAD + 1, False)])
def test_the_limit_holds_for_sender_and_receiver(size, fits):
    empty = Presence(online=True, instance="", since=1.0)
    large = Presence(online=True, instance="x" * (size - len(encode(empty))), since=1.0)
    padded = encode(empty) + b" " * (size - len(encode(empty)))
    if fits:
        assert decode(encode(large)).body == large
        assert decode(padded).body == empty
    else:
        with pytest.raises(ContractError, match=f"{size} bytes; at most {LARGEST_PAYLOAD}"):
            encode(large)
        with pytest.raises(ContractError, match=f"{size} bytes; at most {LARGEST_PAYLOAD}"):
            decode(padded)


@pytest.mark.parametrize("where", [b'"kid":null', b'"online":true'])
def test_deeply_nested_payloads_do_not_break_the_reader(where):
    key = where.partition(b":")[0]
    payload = encode(PRESENCE).replace(where, key + b":" + b"[" * 50_000 + b"]" * 50_000)
    with pytest.raises(ContractError):
        decode(payload)


def test_a_newer_stamp_is_greater_and_epoch_comes_first():
    assert Stamp(2, 1) > Stamp(1, 99)
    assert Stamp(2, 2) > Stamp(2, 1)
    assert Stamp() == Stamp(0, 0)


def test_the_version_is_one():
    assert VERSION == 1


def test_a_set_sent_twice_is_the_same_bytes():
    order = Order(advertisements=(), terminate=("198.18.0.10",))
    assert encode(order, Stamp(1, 2)) == encode(order, Stamp(1, 2))
    assert encode(order, Stamp(1, 2)) != encode(order, Stamp(1, 3))
    assert decode(encode(Steering(ttl=20.0, answers={}))).body == Steering(ttl=20.0, answers={})
