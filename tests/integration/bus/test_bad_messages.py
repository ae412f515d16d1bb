"""Whatever arrives through a real broker: counted, answered where it is an order, and no more."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess

import pytest

from agents.advertising.observations import BusChanged, OrderArrived
from ambicast.contract.codec import LARGEST_PAYLOAD, Flaw, Stamp, decode, encode
from ambicast.contract.messages import ControllerPresence, Order, Outcome, Report
from ambicast.contract.topics import Channel, OfHost, everything_from_agents, spell
from controller.world.observations import HostAnswered, HostReported
from tests.agents_advertising.hosts import ANYCAST, OWN
from tests.behaviour.mosquitto.brokers import Mosquitto
from tests.integration.bus.ends import (
    AMS1,
    ORDER_TOPIC,
    ControllerEnd,
    HostEnd,
    an_order,
    running,
    until,
)

DICE = random.Random(7)
MANY = [f"10.{i // 256}.{i % 256}.0/24" for i in range(1500)]
HOSTILE = {
    "noise": [DICE.randbytes(size) for size in (1, 50, 5000)],
    "not UTF-8": [b'{"type": "order\xff\xfe", "v": 1}'],
    "a lone surrogate": [an_order(9, OWN).replace(b'"reason":""', b'"reason":"\\ud800"')],
    "cut": [an_order(9, OWN)[:at] for at in (1, 20, 200)],
    "deep": [b"[" * 100_000, b'{"type":' * 30_000, an_order(9).replace(b"null", b"[" * 9999, 1)],
    "wrong types": [
        an_order(9, OWN).replace(b'"epoch":1', b'"epoch":"one"'),
        an_order(9, OWN).replace(b'"lease":30.0', b'"lease":[]'),
        b"null",
        b"[]",
        b"7",
    ],
    "huge numbers": [
        an_order(9).replace(b'"generation":9', b'"generation":' + b"9" * 5000),
        an_order(9).replace(b'"epoch":1', b'"epoch":18446744073709551616'),
        an_order(9).replace(b'"lease":30.0', b'"lease":1e999'),
    ],
    "from the future": [
        an_order(9).replace(b'"v":1', b'"v":2'),
        an_order(9).replace(b'"v":1', b'"v":1,"must_understand":["slices"]'),
        an_order(9).replace(b'"type":"order"', b'"type":"oracle"'),
    ],
    "another message": [encode(Report(instance="x")), encode(Report(instance="x"), Stamp(9, 9))],
    "too large": [an_order(9, OWN) + b" " * LARGEST_PAYLOAD, b"x" * 300_000],
}


async def listen_for_receipts(client):
    await client.subscribe(spell("test", OfHost("ams", "ams-1", Channel.RECEIPT)), qos=1)


async def next_receipt(client):
    return decode((await anext(client.messages)).payload).body


@pytest.mark.parametrize("kind", HOSTILE)
async def test_every_order_is_answered_parsed_or_not_and_nothing_else_happens(mosquitto, kind):
    host = HostEnd(mosquitto.port)
    async with running(host), mosquitto.client() as client:
        await until(lambda: BusChanged(connected=True) in host.seen)
        wires = list(host.wire.wanted)
        await listen_for_receipts(client)
        for payload in HOSTILE[kind]:
            await client.publish(ORDER_TOPIC, payload, qos=1, retain=True)
            receipt = await next_receipt(client)
            assert receipt.outcome is Outcome.REFUSED
            assert receipt.refusals[0]
        assert sum(host.bus._mailroom.tally.by_flaw().values()) == len(HOSTILE[kind])
        assert host.wire.wanted == wires
        await client.publish(ORDER_TOPIC, an_order(2, OWN), qos=1)
        assert (await next_receipt(client)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("payload", "refusal"),
    [
        (an_order(9, "10.0.0.0/8"), "10.0.0.0/8"),
        (an_order(9, OWN, "not a prefix"), "not a prefix"),
        (an_order(9, *MANY), "10.0.0.0/24"),
        (encode(Order(advertisements=(), terminate=("8.8.8.8",)), Stamp(1, 9)), "8.8.8.8"),
    ],
    ids=["foreign", "bent", "many", "address"],
)
async def test_an_order_that_may_not_be_followed_is_refused_by_name(mosquitto, payload, refusal):
    host = HostEnd(mosquitto.port)
    async with running(host), mosquitto.client() as client:
        await until(lambda: BusChanged(connected=True) in host.seen)
        await listen_for_receipts(client)
        await client.publish(ORDER_TOPIC, payload, qos=1)
        receipt = await next_receipt(client)
        assert receipt.outcome is Outcome.REFUSED
        assert any(refusal in each for each in receipt.refusals)
        assert host.held == Stamp(1, 1)


async def test_late_and_repeated_orders_change_nothing_and_are_answered(mosquitto):
    host = HostEnd(mosquitto.port)
    async with running(host), mosquitto.client() as client:
        await until(lambda: BusChanged(connected=True) in host.seen)
        await listen_for_receipts(client)
        await client.publish(ORDER_TOPIC, an_order(5, OWN), qos=1)
        assert (await next_receipt(client)).outcome is Outcome.ACCEPTED
        wires = list(host.wire.wanted)
        for payload, outcome in (
            (an_order(5, OWN), Outcome.ACCEPTED),  # delivered twice
            (an_order(4, ANYCAST), Outcome.REFUSED),  # overtaken on the way
            (an_order(900, ANYCAST, epoch=0), Outcome.REFUSED),  # of a controller long gone
            (an_order(5, ANYCAST), Outcome.REFUSED),  # two meanings of one number
        ):
            await client.publish(ORDER_TOPIC, payload, qos=1)
            assert (await next_receipt(client)).outcome is outcome
        assert host.wire.wanted == wires
        assert host.held == Stamp(1, 5)


async def test_a_retained_order_of_an_older_epoch_is_fenced_off(mosquitto):
    """A broker restored from an old backup, or one that a former controller wrote to."""
    async with mosquitto.client() as before:
        await before.publish(ORDER_TOPIC, an_order(99, ANYCAST, epoch=0), qos=1, retain=True)
    host, controller = HostEnd(mosquitto.port), ControllerEnd(mosquitto.port)
    async with running(host, controller):
        await until(lambda: any(isinstance(each, OrderArrived) for each in host.seen))
        stale = Stamp(0, 99)
        await until(lambda: any(each.stamp == stale for each in controller.of(HostAnswered)))
        (answer,) = (each for each in controller.of(HostAnswered) if each.stamp == stale)
        assert answer.receipt.outcome is Outcome.REFUSED
        assert host.held == Stamp(1, 1)
        assert len(host.wire.wanted) == 1
        controller.give(2, OWN)
        await until(lambda: host.held == Stamp(1, 2))


async def test_the_controller_counts_what_it_cannot_use_and_goes_on(mosquitto):
    controller = ControllerEnd(mosquitto.port)
    async with running(controller), mosquitto.client() as client:
        await until(lambda: controller.connected)
        sent = 0
        for pattern in everything_from_agents("test"):
            for payloads in HOSTILE.values():
                for payload in payloads:
                    topic = pattern.replace("+", "ams", 1).replace("+", AMS1)
                    await client.publish(topic, payload, qos=1)
                    sent += 1
        for topic in ("pops/fra/ams-1/report", "pops/ams/ams-9/report", "nameservers/x/report"):
            body = encode(Report(instance="x"))
            await client.publish(f"ambicast/v1/test/{topic}", body, qos=1)
            sent += 1
        last = spell("test", OfHost("ams", "ams-1", Channel.REPORT))
        await client.publish(last, encode(Report(instance="last")), qos=1)
        good = [Report(instance="x")] * 2 + [Report(instance="last")]
        await until(lambda: [each.report for each in controller.of(HostReported)] == good)
        assert sum(controller.bus.dropped().values()) == sent - 2
        assert set(controller.bus.dropped()) == {each.value for each in Flaw}


async def test_a_host_may_claim_any_epoch_and_the_next_controller_still_has_room(mosquitto):
    controller = ControllerEnd(mosquitto.port)
    topic = spell("test", OfHost("ams", "ams-1", Channel.REPORT))
    async with running(controller), mosquitto.client() as client:
        await until(lambda: controller.connected)
        await client.publish(topic, encode(Report(instance="x", order_epoch=2**53 - 1)), qos=1)
        await client.publish(topic, encode(Report(instance="y")), qos=1)
        await until(lambda: controller.of(HostReported))
        assert [each.report.instance for each in controller.of(HostReported)] == ["y"]


@pytest.fixture
def broker_on_a_full_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounts a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], check=True)
    (disk / "full").write_bytes(b"x" * 16384)
    more = f"persistence true\npersistence_location {disk}/\nautosave_interval 1\n"
    broker = Mosquitto(tmp_path, more + "autosave_on_changes true\n")
    broker.start()
    yield broker
    broker.kill()
    subprocess.run(["umount", disk], check=True)


async def test_a_broker_whose_disk_is_full_still_delivers(broker_on_a_full_disk):
    port = broker_on_a_full_disk.port
    host, controller = HostEnd(port), ControllerEnd(port)
    async with running(host, controller):
        await until(lambda: controller.connected)
        for generation in range(2, 30):
            controller.give(generation, OWN)
            await until(lambda wanted=generation: host.held.generation == wanted)
        assert [e.connected for e in host.seen if isinstance(e, BusChanged)] == [True]


async def test_what_a_controller_says_of_itself_is_not_taken_from_it_by_noise(mosquitto):
    host = HostEnd(mosquitto.port)
    topic = "ambicast/v1/test/controller/presence"
    async with running(host), mosquitto.client() as client:
        await until(lambda: BusChanged(connected=True) in host.seen)
        known = len(host.seen)
        for payload in HOSTILE["noise"] + HOSTILE["cut"] + [encode(Report(instance="x"))]:
            await client.publish(topic, payload, qos=1)
        presence = ControllerPresence(online=True, instance="c", since=0.0, beat=1)
        await client.publish(topic, encode(presence, Stamp(1)), qos=0)
        await until(lambda: len(host.seen) > known)
        assert len(host.seen) == known + 1


async def test_a_hostile_order_does_not_stay_where_ours_has_to_lie(mosquitto):
    host, controller = HostEnd(mosquitto.port), ControllerEnd(mosquitto.port)
    async with running(host, controller), mosquitto.client() as client:
        controller.give(2, OWN)
        await until(lambda: host.held == Stamp(1, 2))
        await until(lambda: any(e.stamp == Stamp(1, 2) for e in controller.of(HostAnswered)))
        await client.publish(ORDER_TOPIC, b"not an order", qos=1, retain=True)
        ours = [each for each in host.seen if isinstance(each, OrderArrived)]
        await until(lambda: len([e for e in host.seen if isinstance(e, OrderArrived)]) > len(ours))
        await client.subscribe(ORDER_TOPIC, qos=1)
        async with asyncio.timeout(5):
            assert decode((await anext(client.messages)).payload).stamp == Stamp(1, 2)
