"""What becomes of a message that came in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.advertising.observations import OrderArrived, OrderUnreadable
from agents.mqtt import mailroom
from agents.mqtt.mailroom import Identity, Mailroom
from ambicast.contract.codec import Stamp, encode
from ambicast.contract.messages import ClientMap, Order, Presence, Steering
from ambicast.contract.topics import Channel

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


topics = st.sampled_from([ORDER_TOPIC, ME.nameserver_topic(Channel.MAP), "elsewhere", ""])
whole = st.builds(encode, st.just(ORDER))
broken = st.builds(lambda text, at: text[:at], whole, st.integers(0, 200))


@given(topics, st.one_of(st.binary(max_size=50), broken))
def test_nothing_that_comes_in_is_an_error(topic, payload):
    Desk().room.receive(topic, payload)
