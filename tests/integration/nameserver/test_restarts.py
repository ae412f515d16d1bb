"""Agent and server come and go; answers stay, and only newer ones replace them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from agents.nameserver.control import conversation
from agents.nameserver.launch import LaunchError, prepare, run_knot
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome
from tests.agents_answering.worlds import (
    AMS,
    ANYCAST,
    C1,
    LHR,
    client_map,
    fleet,
    steering,
)
from tests.behaviour.knot.daemon import Daemon

WWW = "www.cdn.example."
ONE, TWO = Stamp(1, 1), Stamp(1, 2)


async def settled(agent):
    agent.nameserver.map(ONE, client_map())
    agent.nameserver.steer(ONE, steering(c1=AMS, c2=LHR))
    await agent.accepted(ONE, "map")
    await agent.accepted(ONE)


async def test_the_last_answers_outlive_a_crash_of_knot(daemon, agent):
    async with agent.running():
        await settled(agent)
        daemon.kill()
        await agent.reported(running=False)
        daemon.start()
        answer = await daemon.asked(WWW, "A", C1)
        assert (answer.data, answer.scope) == (AMS[:1], 24)
        await agent.reported(running=True)


async def test_what_arrives_while_knot_is_away_is_done_when_it_is_back(daemon, agent):
    async with agent.running():
        await settled(agent)
        daemon.kill()
        agent.nameserver.steer(TWO, steering(c1=LHR, c2=LHR))
        await agent.reported(running=False)
        assert [stamp for stamp, _ in agent.receipts] == [ONE, ONE]
        daemon.start()
        await agent.accepted(TWO)
    assert (await daemon.asked(WWW, "A", C1)).data == LHR[:1]


async def test_a_knot_that_lost_everything_is_steered_anew(daemon, agent):
    async with agent.running():
        await settled(agent)
        daemon.kill()
        shutil.rmtree(daemon.places.directory)
        daemon.start()
        assert (await daemon.asked(WWW, "A", C1)).data == ANYCAST[:1]
        await agent.reported(running=False)
        await agent.reported(running=True)
    answer = await daemon.asked(WWW, "A", C1)
    assert (answer.data, answer.scope) == (AMS[:1], 24)


async def test_a_restarted_agent_changes_nothing_until_it_is_told(daemon, agent, another):
    async with agent.running():
        await settled(agent)
    async with another().running() as again:
        report = await again.reported(running=True)
        assert (await daemon.asked(WWW, "A", C1)).data == AMS[:1]
        assert (report.steering_epoch, report.steering_generation) == (1, 1)
        assert (report.map_epoch, report.map_generation) == (1, 1)


async def test_a_restarted_agent_refuses_what_is_older_than_the_zone(daemon, agent, another):
    async with agent.running():
        await settled(agent)
    async with another().running() as again:
        again.nameserver.steer(Stamp(0, 9), steering(c1=LHR))
        receipt = await again.receipt(Stamp(0, 9))
    assert receipt.outcome is Outcome.REFUSED
    assert (await daemon.asked(WWW, "A", C1)).data == AMS[:1]


async def test_a_restarted_agent_proves_retained_messages_and_flips_on(daemon, agent, another):
    async with agent.running():
        await settled(agent)
    async with another().running() as again:
        await settled(again)
        again.nameserver.steer(TWO, steering(c1=LHR, c2=LHR))
        await again.accepted(TWO)
    assert (await daemon.asked(WWW, "A", C1)).data == LHR[:1]


async def test_steering_without_a_map_leaves_the_live_map_alone(daemon, agent, another):
    async with agent.running():
        await settled(agent)
    async with another().running() as again:
        again.nameserver.steer(TWO, steering(c1=LHR, c2=LHR))
        await again.accepted(TWO)
    answer = await daemon.asked(WWW, "A", C1)
    assert (answer.data, answer.scope) == (LHR[:1], 24)


async def test_a_geo_module_that_fell_off_is_loaded_again(daemon, agent):
    async with agent.running():
        await settled(agent)
        live = daemon.places.live_map / "map.mmdb"
        live.unlink()
        live.write_bytes(b"broken")
        async with conversation(daemon.places.socket, 2) as knot:
            await knot.order([{"command": "zone-reload", "zone": "cdn.example.", "flags": "F"}])
        await agent.reported(running=False)
        await agent.reported(running=True)
    assert (await daemon.asked(WWW, "A", C1)).scope == 24


async def test_a_changed_fleet_starts_from_anycast(daemon, agent):
    async with agent.running():
        await settled(agent)
    daemon.stop()
    daemon.fleet = fleet(daemon.fleet.nameservers["ams"].addresses, ttl=30.0)
    daemon.start()
    answer = await daemon.asked(WWW, "A", C1)
    assert (answer.data, answer.ttl, answer.rcode) == (ANYCAST[:1], 30, "NOERROR")


async def test_a_broken_map_on_disk_does_not_keep_knot_from_starting(daemon, agent):
    async with agent.running():
        await settled(agent)
    daemon.kill()
    live = daemon.places.live_map / "map.mmdb"
    live.write_bytes(live.read_bytes()[:100])
    daemon.start()
    assert (await daemon.asked(WWW, "A", C1)).data == ANYCAST[:1]


LAUNCH = """
import msgspec, sys
from pathlib import Path
from agents.nameserver.launch import run_knot
from ambicast.model.fleet import Fleet
file, socket, directory, port = sys.argv[1:]
fleet = msgspec.json.decode(Path(file).read_bytes(), type=Fleet)
run_knot(fleet, fleet.nameservers["ams"], socket=Path(socket), directory=Path(directory),
         port=int(port))
"""


@pytest.fixture
def launched(tmp_path):
    """A daemon that a process of ours turned into, and that process."""
    daemon = Daemon(tmp_path)
    file = tmp_path / "fleet.json"
    file.write_bytes(msgspec.json.encode(daemon.fleet))
    where = [file, daemon.places.socket, daemon.places.directory, str(daemon.port)]
    process = subprocess.Popen([sys.executable, "-c", LAUNCH, *where], stderr=subprocess.PIPE)
    with process, process.stderr:
        said = b""
        while b"control, binding" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        yield daemon, process
        process.kill()


async def test_run_knot_becomes_knotd_in_the_foreground(launched):
    daemon, process = launched
    assert Path(f"/proc/{process.pid}/exe").readlink().name == "knotd"
    assert (await daemon.asked(WWW)).data == ANYCAST[:1]


def test_without_knotd_one_is_told_which_packages_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    it = fleet()
    with pytest.raises(LaunchError, match="knot and knot-module-geoip"):
        run_knot(it, it.nameservers["ams"], socket=tmp_path / "s", directory=tmp_path / "d")


def test_preparing_again_touches_neither_zone_nor_map(tmp_path):
    daemon = Daemon(tmp_path)
    me = daemon.fleet.nameservers["ams"]
    prepare(daemon.fleet, me, daemon.places)
    os.utime(daemon.places.zone, (1, 1))
    daemon.install(ONE, client_map())
    prepare(daemon.fleet, me, daemon.places)
    assert daemon.places.zone.stat().st_mtime == 1
    assert daemon.places.live_map.resolve().name == "1.1"


def test_files_that_knot_rejects_even_when_new_are_reported_with_its_words(tmp_path):
    daemon = Daemon(tmp_path, addresses=('10.0.0.1"',))
    with pytest.raises(LaunchError, match="knot rejects"):
        prepare(daemon.fleet, daemon.fleet.nameservers["ams"], daemon.places)
