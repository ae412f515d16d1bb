"""What we assume of Knot's control socket and its zone transactions."""

from __future__ import annotations

import asyncio

import pytest

from agents.answering.flips import Flip
from agents.answering.records import RRset
from agents.nameserver.control import (
    ControlRefusedError,
    ControlUnreachableError,
    conversation,
)
from agents.nameserver.zone import Zone
from tests.agents_answering.worlds import AMS, ANYCAST, LHR, ZONE

OWNER = "c1.www.g.cdn.example."


def unit(command, **fields):
    return {"command": command, "zone": "cdn.example.", **fields}


def write(*addresses, remove=()):
    return Flip(remove, tuple(RRset(OWNER, "A", 20, (each,)) for each in addresses))


async def test_a_flip_is_seen_at_once(daemon):
    await daemon.zone.open()
    await daemon.zone.flip(write(AMS[0]))
    assert (await daemon.asked(OWNER)).data == (AMS[0],)
    await daemon.zone.flip(write(LHR[0], remove=((OWNER, "A"),)))
    assert (await daemon.asked(OWNER)).data == (LHR[0],)


async def test_what_is_read_back_is_spelled_as_it_was_written(daemon):
    await daemon.zone.open()
    wanted = RRset(OWNER, "AAAA", 20, (AMS[1], LHR[1]))
    await daemon.zone.flip(Flip(write=(wanted,)))
    found = await daemon.zone.open()
    assert found[OWNER, "AAAA"] == wanted
    assert found["_generation.cdn.example.", "TXT"].data == ('"steering=0.0 map=0.0"',)
    assert found["*.www.g.cdn.example.", "A"].data == ANYCAST[:1]


async def test_a_commit_takes_the_parts_knot_understood_and_drops_the_others(daemon):
    """Why we read the replies to all parts before we commit."""
    async with conversation(daemon.places.socket, 2) as knot:
        replies = await knot.ask(
            [unit("zone-begin")],
            [
                unit("zone-set", owner=OWNER, ttl="20", type="A", data="rubbish"),
                unit("zone-set", owner=OWNER, ttl="20", type="A", data=AMS[0]),
            ],
            [unit("zone-commit")],
        )
    assert [each["error"] for reply in replies for each in reply] == ["parser failed"]
    assert (await daemon.asked(OWNER)).data == (AMS[0],)


async def test_a_flip_with_one_bad_part_changes_nothing_and_leaves_no_transaction(daemon):
    await daemon.zone.open()
    with pytest.raises(ControlRefusedError, match="parser failed"):
        await daemon.zone.flip(write(AMS[0], "rubbish"))
    assert (await daemon.asked(OWNER)).data == ANYCAST[:1]
    await daemon.zone.flip(write(LHR[0]))
    assert (await daemon.asked(OWNER)).data == (LHR[0],)


async def test_an_unfinished_transaction_stays_until_it_is_aborted(daemon):
    async with conversation(daemon.places.socket, 2) as knot:
        await knot.order([unit("zone-begin")])
    with pytest.raises(ControlRefusedError, match="too many transactions"):
        await Zone(daemon.places.socket, ZONE).flip(write(AMS[0]))
    zone = Zone(daemon.places.socket, ZONE)
    async with conversation(daemon.places.socket, 2) as knot:
        await knot.ask([unit("zone-abort")])
        await knot.order([unit("zone-begin")])
    await zone.open()
    await zone.flip(write(AMS[0]))
    assert (await daemon.asked(OWNER)).data == (AMS[0],)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (unit("zone-abort"), "no active transaction"),
        (unit("zone-commit"), "no active transaction"),
        ({"command": "zone-read", "zone": "other.example."}, "no such zone found"),
    ],
)
async def test_refusals_have_the_words_we_look_for(daemon, command, reason):
    async with conversation(daemon.places.socket, 2) as knot:
        with pytest.raises(ControlRefusedError, match=reason):
            await knot.order([command])


async def test_a_set_that_is_not_there_cannot_be_removed(daemon):
    await daemon.zone.open()
    with pytest.raises(ControlRefusedError, match="no such"):
        await daemon.zone.flip(Flip(remove=((OWNER, "A"),)))


async def test_an_unknown_command_is_answered_by_silence(daemon):
    with pytest.raises(ControlUnreachableError):
        async with conversation(daemon.places.socket, 0.2) as knot:
            await knot.order([{"command": "no-such-command"}])


async def test_an_idle_connection_keeps_everybody_else_out(daemon):
    """Why a connection lives for one conversation only."""
    _, idle = await asyncio.open_unix_connection(str(daemon.places.socket))
    with pytest.raises(ControlUnreachableError, match="no answer"):
        await Zone(daemon.places.socket, ZONE, timeout=0.05).open()
    idle.close()
    await idle.wait_closed()
    assert await Zone(daemon.places.socket, ZONE).open()


async def test_two_hundred_sets_are_one_round_trip(daemon):
    await daemon.zone.open()
    sets = tuple(RRset(f"g{n}.www.g.cdn.example.", "A", 20, (AMS[0],)) for n in range(200))
    await daemon.zone.flip(Flip(write=sets))
    found = await daemon.zone.open()
    assert all((each.owner, "A") in found for each in sets)
