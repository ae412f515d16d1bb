"""Steering and client maps reach a real Knot, and receipts mean what they say."""

from __future__ import annotations

import asyncio

import pytest

from agents.answering.flips import Flip
from agents.nameserver import server
from agents.nameserver.control import conversation
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome, Steering
from tests.agents_answering.worlds import (
    AMS,
    ANYCAST,
    C1,
    C1_V6,
    C2,
    LHR,
    client_map,
    steering,
)

WWW = "www.cdn.example."
ONE, TWO, THREE = Stamp(1, 1), Stamp(1, 2), Stamp(1, 3)
C1_OWNER = "c1.www.g.cdn.example."


async def settled(agent):
    agent.nameserver.map(ONE, client_map())
    agent.nameserver.steer(ONE, steering(c1=AMS, c2=LHR))
    await agent.accepted(ONE, "map")
    await agent.accepted(ONE)


async def test_before_anything_is_steered_everybody_gets_anycast(daemon, agent):
    async with agent.running():
        report = await agent.reported(running=True)
    assert (report.steering_epoch, report.map_epoch) == (0, 0)
    assert (await daemon.asked(WWW, "A", C1)).data == ANYCAST[:1]
    assert (await daemon.asked(WWW, "AAAA", "fd00::/48")).data == ANYCAST[1:]


async def test_every_listed_client_gets_its_groups_address_and_scope(daemon, agent):
    async with agent.running():
        await settled(agent)
    for subnet, addresses, scope in ((C1, AMS, 24), (C1_V6, AMS, 48), (C2, LHR, 24)):
        for kind, data in (("A", addresses[:1]), ("AAAA", addresses[1:])):
            answer = await daemon.asked(WWW, kind, subnet)
            assert (answer.data, answer.scope) == (data, scope)
    assert (await daemon.asked(WWW, "A", "203.0.113.0/24")).data == ANYCAST[:1]


async def test_when_the_receipt_comes_the_answer_has_changed(daemon, agent):
    async with agent.running():
        await settled(agent)
        agent.nameserver.steer(TWO, steering(c1=LHR, c2=LHR))
        receipt = await agent.accepted(TWO)
        assert (await daemon.asked(WWW, "A", C1)).data == LHR[:1]
        assert receipt.proven >= 6
        report = await agent.reported(steering_generation=2)
    assert (report.map_epoch, report.map_generation, report.running) == (1, 1, True)


async def test_a_group_that_steering_leaves_out_falls_back_to_the_default(daemon, agent):
    async with agent.running():
        await settled(agent)
        agent.nameserver.steer(TWO, steering(c2=LHR, default=AMS))
        await agent.accepted(TWO)
    assert (await daemon.asked(WWW, "A", C1)).data == AMS[:1]
    assert (await daemon.asked(WWW, "A", "203.0.113.0/24")).data == AMS[:1]


async def test_an_empty_steering_is_anycast_for_all(daemon, agent):
    async with agent.running():
        await settled(agent)
        agent.nameserver.steer(TWO, Steering(ttl=5.0, answers={}))
        await agent.accepted(TWO)
    answer = await daemon.asked(WWW, "A", C1)
    assert (answer.data, answer.ttl) == (ANYCAST[:1], 5)


async def test_a_new_map_moves_clients_to_other_groups(daemon, agent):
    async with agent.running():
        await settled(agent)
        agent.nameserver.map(TWO, client_map(c2=(C1, C2), c3=("203.0.113.0/24",)))
        await agent.accepted(TWO, "map")
    assert (await daemon.asked(WWW, "A", C1)).data == LHR[:1]
    assert (await daemon.asked(WWW, "A", "203.0.113.0/24")).data == ANYCAST[:1]
    assert (await daemon.asked(WWW, "A", C1_V6)).alias == "default.www.g.cdn.example."


async def test_a_new_name_answers_and_a_former_one_is_gone(daemon, agent):
    async with agent.running():
        await settled(agent)
        agent.nameserver.map(TWO, client_map({"www": ("web.cdn.example",)}))
        await agent.accepted(TWO, "map")
    assert (await daemon.asked("web.cdn.example.", "A", C1)).data == AMS[:1]
    assert (await daemon.asked(WWW, "A", C1)).rcode == "NXDOMAIN"


async def test_a_forbidden_message_changes_nothing(daemon, agent):
    async with agent.running():
        await settled(agent)
        agent.nameserver.steer(TWO, steering(c1=("203.0.113.1",), c2=AMS))
        receipt = await agent.receipt(TWO)
        assert receipt.outcome is Outcome.REFUSED
        assert "203.0.113.1 is no service address" in receipt.refusals[0]
        agent.nameserver.steer(THREE, steering(c1=AMS, c2=LHR))
        await agent.accepted(THREE)
    assert (await daemon.asked(WWW, "A", C2)).data == LHR[:1]


async def test_a_map_that_knot_rejects_is_refused_and_the_former_stays(daemon, agent, monkeypatch):
    async with agent.running():
        await settled(agent)
        monkeypatch.setattr(server, "files", lambda _: ("www:\n", b"no map"))
        agent.nameserver.map(TWO, client_map(c2=(C1,)))
        receipt = await agent.receipt(TWO, "map")
        assert receipt.outcome is Outcome.REFUSED
        agent.nameserver.steer(TWO, steering(c1=LHR, c2=LHR))
        await agent.accepted(TWO)
    assert (await daemon.asked(WWW, "A", C1)).alias == C1_OWNER
    assert daemon.check() == ""


async def test_records_that_somebody_else_changed_are_put_right(daemon, agent):
    async with agent.running():
        await settled(agent)
        await daemon.zone.open()
        await daemon.zone.flip(Flip(remove=((C1_OWNER, "A"), (C1_OWNER, "AAAA"))))
        assert (await daemon.asked(WWW, "A", C1)).data == ANYCAST[:1]
        agent.nameserver._server.forget()
        agent.nameserver.steer(ONE, steering(c1=AMS, c2=LHR))
        agent.receipts.clear()
        await agent.accepted(ONE)
    assert (await daemon.asked(WWW, "A", C1)).data == AMS[:1]


async def test_a_generation_that_is_not_ours_is_noticed_within_a_look(daemon, agent):
    async with agent.running():
        await settled(agent)
        held = await daemon.zone.open()
        key = ("_generation.cdn.example.", "TXT")
        await daemon.zone.flip(Flip(remove=(key, (C1_OWNER, "A"))))
        assert key in held
        await agent.reported(running=False)
        await agent.reported(running=True)
    assert (await daemon.asked(WWW, "A", C1)).data == AMS[:1]


async def test_a_transaction_left_by_a_predecessor_is_aborted(daemon, agent):
    async with conversation(daemon.places.socket, 2) as knot:
        await knot.order([{"command": "zone-begin", "zone": "cdn.example."}])
    async with agent.running():
        await settled(agent)
    assert (await daemon.asked(WWW, "A", C1)).data == AMS[:1]


@pytest.mark.parametrize("flips", [20])
async def test_no_client_ever_sees_half_an_answer(daemon, agent, flips):
    seen = set()
    async with agent.running():
        await settled(agent)
        for number in range(2, flips):
            stamp = Stamp(1, number)
            agent.nameserver.steer(stamp, steering(c1=(AMS, LHR)[number % 2], c2=LHR))
            async with asyncio.TaskGroup() as group:
                waiting = group.create_task(agent.accepted(stamp), name="receipt")
                while not waiting.done():
                    seen.add((await daemon.asked(WWW, "A", C1)).data)
    assert seen == {AMS[:1], LHR[:1]}
