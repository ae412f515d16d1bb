"""bfdd's frames, cut anywhere."""

import struct

import pytest

from agents.bfd.frames import LARGEST, Frame, FrameError, Frames, Kind, add, subscribe


def frame(number, kind, body, version=1):
    return struct.pack("!IHBB", len(body), number, kind, version) + body


def test_a_subscription_is_to_every_session():
    assert subscribe(7) == bytes.fromhex("00000008 0007 04 01 ffffffffffffffff".replace(" ", ""))


def test_a_request_carries_json():
    sent = add(2, {"ipv4": [{"peer-address": "10.3.1.1"}]})
    (got,) = Frames().feed(sent)
    assert got == Frame(2, Kind.ADD, b'{"ipv4":[{"peer-address":"10.3.1.1"}]}')


@pytest.mark.parametrize("size", [1, 3, 8, 11, 1000])
def test_frames_come_whole_however_the_stream_is_cut(size):
    stream = frame(1, 1, b'{"status":"ok"}') + frame(0, 4, b"{}") + frame(2, 1, b"")
    frames, found = Frames(), []
    for start in range(0, len(stream), size):
        found += frames.feed(stream[start : start + size])
    assert found == [Frame(1, 1, b'{"status":"ok"}'), Frame(0, 4, b"{}"), Frame(2, 1, b"")]


@pytest.mark.parametrize(
    "head", [frame(1, 1, b"", version=2), struct.pack("!IHBB", LARGEST + 1, 1, 1, 1)], ids=str
)
def test_what_is_no_frame_is_refused_before_it_is_waited_for(head):
    with pytest.raises(FrameError, match="version 1 is known"):
        list(Frames().feed(head))
