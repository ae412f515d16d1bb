from __future__ import annotations

import asyncio
import struct

import pytest

from lab.load.dnswire import TYPE_A, Answer, DnsError, numbered, parse_answer, query
from lab.load.names import Names, NameUnknown


class Counting:
    """A resolver that answers after 50 ms and counts the questions."""

    def __init__(self, ttl=20, *, works=True):
        self.asked = 0
        self.ttl = ttl
        self.works = works

    async def ask(self, name, family):
        self.asked += 1
        await asyncio.sleep(0.05)
        if not self.works:
            raise NameUnknown(name)
        return Answer(1, 0, (f"192.0.2.{self.asked}",), self.ttl, None)


@pytest.fixture
def clock():
    return lambda: asyncio.get_running_loop().time()


@pytest.mark.looptime
async def test_an_answer_is_used_for_its_ttl_and_not_longer(clock):
    resolver = Counting()
    async with asyncio.TaskGroup() as tasks:
        names = Names(resolver, tasks, clock)
        first = await names.addresses("www.example", ("v4",))
        await asyncio.sleep(19.9)
        assert await names.addresses("www.example", ("v4",)) == first
        await asyncio.sleep(0.2)
        assert await names.addresses("www.example", ("v4",)) == ("192.0.2.2",)


@pytest.mark.looptime
async def test_requests_that_wait_for_the_same_name_share_one_question(clock):
    resolver = Counting()
    async with asyncio.TaskGroup() as tasks:
        names = Names(resolver, tasks, clock)
        for _ in range(10):
            tasks.create_task(names.addresses("www.example", ("v4",)))
    assert resolver.asked == 1


@pytest.mark.looptime
async def test_a_failure_is_not_kept(clock):
    resolver = Counting(works=False)
    async with asyncio.TaskGroup() as tasks:
        names = Names(resolver, tasks, clock)
        assert await names.addresses("www.example", ("v4",)) == ()
        assert await names.addresses("www.example", ("v4",)) == ()
    assert resolver.asked == 2


@pytest.mark.looptime
async def test_a_request_that_gives_up_does_not_take_the_question_from_the_others(clock):
    resolver = Counting()
    async with asyncio.TaskGroup() as tasks:
        names = Names(resolver, tasks, clock)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await names.addresses("www.example", ("v4",))
        assert await names.addresses("www.example", ("v4",)) == ("192.0.2.1",)
    assert resolver.asked == 1


def answer_to(question, address, ttl, scope):
    head = question[:2] + struct.pack("!HHHHH", 0x8400, 1, 1, 0, 1)
    end = question.index(b"\0", 12) + 5
    record = b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, ttl, 4) + bytes(address)
    option = struct.pack("!HHHBB", 8, 7, 1, 24, scope) + bytes([198, 19, 1])
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(option)) + option
    return head + question[12:end] + record + opt


def test_an_answer_gives_addresses_ttl_and_scope():
    asked = query("www.cdn.example", TYPE_A, recurse=False, subnet="198.19.1.0/24")
    assert asked.endswith(struct.pack("!HHHBB", 8, 7, 1, 24, 0) + bytes([198, 19, 1]))
    said = parse_answer(answer_to(numbered(asked, 7), (198, 18, 0, 10), 20, 24))
    assert said == Answer(7, 0, ("198.18.0.10",), 20, 24)


def test_a_query_and_noise_are_no_answers():
    for data in (query("www.cdn.example", TYPE_A, recurse=True), b"", b"\0" * 11, b"\xff" * 40):
        with pytest.raises(DnsError):
            parse_answer(data)
