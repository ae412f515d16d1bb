"""What is made of bfdd's notifications, as recorded from bfdd 8.4.4."""

import json

import msgspec
import pytest

from agents.bfd.peers import Peer, Sessions, peers_of, wanted
from ambicast.model.identifiers import Family
from tests.agents_advertising.hosts import AMS

NORTH4 = ("10.1.1.1", "10.1.1.2")
SOUTH6 = ("fd00:2::1", "fd00:2::2")


def status(key, state, **fields):
    neighbor, own = key
    return json.dumps(
        {
            "op": "status", "ipv6": ":" in neighbor, "multihop": False, "peer-address": neighbor,
            "local-address": own, "id": 3499540093, "state": state, "diagnostics": 0,
            "remote-diagnostics": 0, **fields,
        }
    ).encode()  # fmt: skip


@pytest.fixture
def sessions():
    return Sessions(peers_of(AMS))


def test_every_uplink_and_family_has_a_peer():
    assert peers_of(AMS)[NORTH4] == Peer("north", Family.V4)
    assert peers_of(AMS)[SOUTH6] == Peer("south", Family.V6)
    assert len(peers_of(AMS)) == 4


def test_intervals_are_told_in_milliseconds_and_no_interface_is_named():
    body = wanted(peers_of(AMS), 0.3, 3)
    assert body["ipv4"][0] == {
        "peer-address": "10.1.1.1", "local-address": "10.1.1.2", "detect-multiplier": 3,
        "receive-interval": 300, "transmit-interval": 300,
    }  # fmt: skip
    assert [len(body[kind]) for kind in ("ipv4", "ipv6")] == [2, 2]


def test_a_neighbor_without_bfd_is_not_down(sessions):
    sessions.hear(status(NORTH4, "down"))
    sessions.hear(status(NORTH4, "init"))
    assert sessions.up == {}


def test_a_session_that_was_up_is_down_when_it_goes_down(sessions):
    sessions.hear(status(NORTH4, "up"))
    sessions.hear(status(SOUTH6, "up"))
    sessions.hear(status(NORTH4, "down", diagnostics=1))
    assert sessions.up == {"north": {Family.V4: False}, "south": {Family.V6: True}}
    sessions.hear(status(NORTH4, "init"))
    assert sessions.up["north"] == {Family.V4: False}
    sessions.hear(status(NORTH4, "up"))
    assert sessions.up["north"] == {Family.V4: True}


def test_a_neighbor_that_ends_it_on_purpose_says_nothing_of_the_path(sessions):
    sessions.hear(status(NORTH4, "up"))
    sessions.hear(status(NORTH4, "down", **{"diagnostics": 3, "remote-diagnostics": 7}))
    assert sessions.up == {}


@pytest.mark.parametrize(
    "body",
    [
        b'{"op":"add","peer-address":"10.1.1.1","local-address":"10.1.1.2","shutdown":false}',
        b'{"op":"update","peer-address":"10.1.1.1"}',
        status(("192.0.2.1", "192.0.2.2"), "up"),
        status(("10.1.1.1", "10.2.1.2"), "up"),
        b'{"op":"something new"}',
    ],
)
def test_what_is_about_nobody_of_ours_is_ignored(sessions, body):
    sessions.hear(body)
    assert sessions.up == {}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"op":1}'])
def test_what_cannot_be_read_is_an_error(sessions, body):
    with pytest.raises(msgspec.DecodeError):
        sessions.hear(body)
