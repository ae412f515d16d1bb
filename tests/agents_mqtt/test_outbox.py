"""What waits for the broker."""

from __future__ import annotations

import asyncio

import pytest

from agents.mqtt import outbox
from agents.mqtt.outbox import Outbox


@pytest.fixture
def box():
    return Outbox()


async def payloads(box):
    return [letter.payload for letter in await box.take()]


async def test_only_the_newest_state_of_a_topic_is_sent(box):
    for payload in (b"1", b"2", b"3"):
        box.put_state("report", payload)
    box.put_state("sightings", b"s")
    assert await payloads(box) == [b"3", b"s"]


async def test_every_receipt_is_sent_in_order(box):
    for payload in (b"1", b"2", b"3"):
        box.put_answer("receipt", payload)
    assert await payloads(box) == [b"1", b"2", b"3"]


async def test_states_are_retained_and_receipts_are_not(box):
    box.put_state("report", b"r")
    box.put_answer("receipt", b"a")
    assert [letter.retain for letter in await box.take()] == [True, False]


async def test_a_new_connection_gets_all_states_and_the_unconfirmed_receipts(box):
    box.put_state("report", b"r")
    box.put_answer("receipt", b"1")
    box.put_answer("receipt", b"2")
    for letter in await box.take():
        if letter.payload in {b"r", b"1"}:
            box.confirm(letter)
    box.again()
    assert await payloads(box) == [b"r", b"2"]


@pytest.mark.looptime
async def test_taking_waits_until_there_is_something(box):
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(payloads(box), name="take")
        await asyncio.sleep(1)
        assert not taking.done()
        box.put_state("report", b"r")
    assert taking.result() == [b"r"]


async def test_of_too_many_receipts_the_oldest_go(box, monkeypatch):
    monkeypatch.setattr(outbox, "MOST_RECEIPTS", 2)
    for payload in (b"1", b"2", b"3"):
        box.put_answer("receipt", payload)
    assert await payloads(box) == [b"2", b"3"]
    box.again()
    assert await payloads(box) == [b"2", b"3"]
