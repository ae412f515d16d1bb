"""What becomes of a message that came in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.advertising.observations import ControllerSeen, OrderArrived, OrderUnreadable
from agents.mqtt import mailroom
from agents.mqtt.mailroom import Identity, Mailroom
from ambicast.contract.codec import LARGEST_PAYLOAD, Flaw, Stamp, encode
from ambicast.contract.messages import ClientMap, ControllerPresence, Order, Presence, Steering
from ambicast.contract.tally import ELSEWHERE
from ambicast.contract.topics import Channel, FromController, OfHost, OfNameserver, spell

ME = Identity(
    fleet="test",
    pop="ams",
    host="ams-1",
    roles=("bgp", "dns"),
    instance="i",
    since=0.0,
    nameserver="ns1",
)
ORDER_TOPIC = ME.topic(Channel.ORDER)
ORDER = Order(advertisements=(), terminate=())


class Desk:
    def __init__(self):
        self.told, self.heard = [], []
        self.room = Mailroom(ME, self.told.append, lambda *arguments: self.heard.append(arguments))


@pytest.fixture
def desk():
    return Desk()


def test_an_order_arrives_with_its_stamp(desk):
    desk.room.receive(ORDER_TOPIC, encode(ORDER, Stamp(2, 3)))
    assert desk.told == [OrderArrived(Stamp(2, 3), ORDER)]


def test_steering_and_maps_go_to_the_nameserver(desk):
    steering = Steering(ttl=20.0, answers={})
    client_map = ClientMap(zone="cdn.example", names={}, groups={})
    desk.room.receive(ME.nameserver_topic(Channel.STEERING), encode(steering, Stamp(1, 1)))
    desk.room.receive(ME.nameserver_topic(Channel.MAP), encode(client_map, Stamp(1, 2)))
    assert desk.heard == [(Stamp(1, 1), steering), (Stamp(1, 2), client_map)]
    assert desk.told == []


def test_an_order_that_cannot_be_read_is_told_so_that_it_gets_a_receipt(desk):
    desk.room.receive(ORDER_TOPIC, b"not json")
    (told,) = desk.told
    assert isinstance(told, OrderUnreadable)
    assert told.why


def test_another_message_on_the_order_topic_is_an_unreadable_order(desk):
    desk.room.receive(ORDER_TOPIC, encode(Presence(online=True, instance="i", since=0.0)))
    assert desk.told == [OrderUnreadable("type 'presence' does not belong here")]


def test_bad_steering_is_dropped_and_counted(desk):
    for _ in range(3):
        desk.room.receive(ME.nameserver_topic(Channel.STEERING), b"{")
    assert (desk.told, desk.heard) == ([], [])
    assert list(desk.room.dropped.values()) == [3]


def test_a_cleared_order_changes_nothing(desk):
    desk.room.receive(ORDER_TOPIC, b"")
    assert desk.told == []


def test_reasons_are_not_remembered_without_end(desk, monkeypatch):
    monkeypatch.setattr(mailroom, "MOST_REASONS", 3)
    for version in range(10, 20):
        desk.room.receive(ORDER_TOPIC, encode(ORDER).replace(b'"v":1', b'"v":%d' % version))
    assert len(desk.room.dropped) == 4
    assert desk.room.dropped["other reasons"] == 7
    assert len(desk.told) == 10


def test_each_flaw_is_counted_by_topic(desk):
    maps = ME.nameserver_topic(Channel.MAP)
    for payload in (b"{", b"\xff", b" " * (LARGEST_PAYLOAD + 1), encode(ORDER)):
        desk.room.receive(maps, payload)
    assert desk.room.tally.by_topic() == {
        (maps, Flaw.MALFORMED): 2,
        (maps, Flaw.OVERSIZED): 1,
        (maps, Flaw.MISPLACED): 1,
    }


@pytest.mark.parametrize(
    "topic",
    [
        spell("test", OfHost("ams", "ams-2", Channel.ORDER)),
        spell("test", OfHost("fra", "ams-1", Channel.ORDER)),
        spell("test", OfNameserver("fra", Channel.STEERING)),
        spell("other", OfHost("ams", "ams-1", Channel.ORDER)),
        ME.topic(Channel.REPORT),
    ],
)
def test_what_is_for_others_is_not_followed_and_not_answered(desk, topic):
    for body in (ORDER, Steering(ttl=20.0, answers={})):
        desk.room.receive(topic, encode(body, Stamp(9, 9)))
    assert (desk.told, desk.heard) == ([], [])
    assert desk.room.tally.by_topic() == {(ELSEWHERE, Flaw.MISPLACED): 2}


def test_a_beat_is_told_and_a_retained_one_is_not(desk):
    topic = spell("test", FromController())
    for beat, retained in ((7, True), (7, False), (8, False)):
        presence = ControllerPresence(online=True, instance="c", since=0.0, beat=beat)
        desk.room.receive(topic, encode(presence, Stamp(3)), retained=retained)
    assert desk.told == [ControllerSeen(online=True, epoch=3)]


@pytest.mark.parametrize("number", [b"9007199254740992", b"9" * 400, b"9" * 5000, b"-1"], ids=len)
def test_numbers_beyond_all_measure_are_refused(desk, number):
    """Held once, no controller could ever give an order above them."""
    for name in (b"epoch", b"generation"):
        order = encode(ORDER, Stamp(1, 1)).replace(b'"%b":1' % name, b'"%b":%b' % (name, number))
        desk.room.receive(ORDER_TOPIC, order)
    assert [type(told) for told in desk.told] == [OrderUnreadable, OrderUnreadable]


topics = st.sampled_from([ORDER_TOPIC, ME.nameserver_topic(Channel.MAP), "elsewhere", ""])
whole = st.builds(encode, st.just(ORDER))
broken = st.builds(lambda text, at: text[:at], whole, st.integers(0, 200))
nested = st.integers(1, 100_000).map(lambda depth: b'{"type":' + b"[" * depth)


@given(topics, st.one_of(st.binary(max_size=50), broken, nested))
def test_nothing_that_comes_in_is_an_error(topic, payload):
    Desk().room.receive(topic, payload)
