"""What we assume of Knot at reload, crash and restart."""

from __future__ import annotations

import asyncio

import pytest

from agents.answering.flips import Flip
from agents.answering.records import RRset
from agents.nameserver.control import ControlRefusedError, conversation
from ambicast.contract.codec import Stamp
from tests.agents_answering.worlds import AMS, ANYCAST, LHR, client_map
from tests.behaviour.knot.daemon import Daemon

WWW, C1 = "www.cdn.example.", "198.19.1.0/24"
OWNER = "c1.www.g.cdn.example."


async def shows(daemon, stamp):
    """Waits until the sentinel names this map: a reload happens behind the command."""
    async with asyncio.timeout(5):
        while True:
            answer = await daemon.asked("_map.cdn.example.", "TXT", "255.255.255.255/32")
            if answer.data == (f'"map={stamp}"',):
                return


async def write(daemon, address):
    held = await daemon.zone.open()
    remove = ((OWNER, "A"),) if (OWNER, "A") in held else ()
    await daemon.zone.flip(Flip(remove, (RRset(OWNER, "A", 20, (address,)),)))


async def test_a_reload_makes_the_new_map_live_and_keeps_what_was_flipped(daemon):
    await write(daemon, AMS[0])
    daemon.install(Stamp(1, 1), client_map())
    await daemon.zone.reload()
    await shows(daemon, "1.1")
    assert (await daemon.asked(WWW, "A", C1)).data == (AMS[0],)


@pytest.mark.parametrize(
    ("name", "words"), [("map.mmdb", "invalid parameter"), ("geo.conf", "parser failed")]
)
async def test_a_reload_with_a_broken_file_is_refused_and_the_old_map_stays(daemon, name, words):
    daemon.install(Stamp(1, 1), client_map())
    await daemon.zone.reload()
    await shows(daemon, "1.1")
    daemon.install(Stamp(1, 2), client_map())
    broken = daemon.places.live_map / name
    broken.unlink()
    broken.write_text("broken: [")
    assert daemon.check()
    with pytest.raises(ControlRefusedError, match=words):
        await daemon.zone.reload()
    await shows(daemon, "1.1")
    assert (await daemon.asked(WWW, "A", C1)).alias == OWNER


async def test_a_forced_zone_reload_with_a_broken_map_succeeds_and_unloads_the_module(daemon):
    """Why API success proves nothing, and why we use ``reload``."""
    daemon.install(Stamp(1, 1), client_map())
    await daemon.zone.reload()
    await shows(daemon, "1.1")
    broken = daemon.places.live_map / "map.mmdb"
    broken.unlink()
    broken.write_bytes(b"broken")
    async with conversation(daemon.places.socket, 2) as knot:
        await knot.order(
            [{"command": "zone-reload", "zone": "cdn.example.", "flags": "F"}],
        )
    async with asyncio.timeout(5):
        while (answer := await daemon.asked(WWW, "A", C1)).alias == OWNER:
            pass
    assert (answer.rcode, answer.data, answer.scope) == ("NOERROR", ANYCAST[:1], 0)


async def test_the_last_flip_outlives_a_crash(daemon):
    await write(daemon, AMS[0])
    await write(daemon, LHR[0])
    daemon.kill()
    daemon.start()
    assert (await daemon.asked(OWNER)).data == (LHR[0],)


async def test_so_does_the_last_of_more_flips_than_the_journal_is_deep(daemon):
    for number in range(30):
        await write(daemon, (AMS, LHR)[number % 2][0])
    daemon.kill()
    daemon.start()
    assert (await daemon.asked(OWNER)).data == (LHR[0],)


async def test_an_address_this_host_does_not_have_stops_nobody(tmp_path):
    daemon = Daemon(tmp_path, addresses=("192.0.2.77", "127.0.0.1")).start()
    try:
        assert (await daemon.asked(WWW)).data == ANYCAST[:1]
        assert "required nonlocal bind" in daemon.log.read_text()
    finally:
        daemon.kill()


async def test_knot_refuses_a_map_file_with_build_epoch_zero(daemon):
    file = daemon.places.live_map / "map.mmdb"
    raw = file.read_bytes()
    assert daemon.check() == ""
    file.unlink()
    file.write_bytes(raw.replace(b"build_epoch\x01\x02\x01", b"build_epoch\x00\x02"))
    assert "failed to open geo DB" in daemon.check()
