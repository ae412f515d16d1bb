from __future__ import annotations

import pytest

from agents.nameserver.wire import Reader, WireError, spell_block, spell_end

SET = {"command": "zone-set", "zone": "cdn.example.", "data": "x"}


def test_a_command_is_data_units_closed_by_a_block():
    assert spell_block([SET]) == (
        b"\x01\x10\x00\x08zone-set\x16\x00\x0ccdn.example.\x1a\x00\x01x\x03"
    )
    assert spell_end() == b"\x00"


def test_what_is_spelled_is_read_back():
    assert list(Reader().feed(spell_block([SET, SET]))) == [[SET, SET]]


def test_an_empty_reply_is_a_reply():
    assert list(Reader().feed(b"\x03\x03")) == [[], []]


def test_a_reply_may_arrive_byte_by_byte():
    reader = Reader()
    blocks = [
        block
        for byte in spell_block([SET]) + spell_block([SET])
        for block in reader.feed(bytes([byte]))
    ]
    assert blocks == [[SET], [SET]]


@pytest.mark.parametrize("rubbish", [b"\x07", b"\x10\x00\x01x", b"\x01\x40\x00\x01x"])
def test_other_bytes_are_refused(rubbish):
    with pytest.raises(WireError):
        list(Reader().feed(rubbish))
