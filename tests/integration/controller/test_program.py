"""The whole program as a process: SIGTERM is a clean stop, and a restart gets a higher epoch."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ambicast.contract.codec import Stamp, encode
from ambicast.contract.messages import ControllerPresence, Order, Report, Sighting, Sightings
from ambicast.contract.topics import Channel, FromController, OfHost, spell
from ambicast.files import load_fleet
from ambicast.model.identifiers import Family
from tests.integration.controller.conftest import listening

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "configs" / "fleet.yaml"


@pytest.fixture
def settings(tmp_path, mosquitto):
    """A settings file for the example fleet, renamed to the test's."""
    text = EXAMPLE.read_text().replace("fleet: example", "fleet: test", 1)
    (tmp_path / "fleet.yaml").write_text(text.replace("file: ", f"file: {EXAMPLE.parent}/"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "controller.yaml"
    path.write_text(
        f"fleet: fleet.yaml\njournal: journal.sqlite\n"
        f"broker: {{host: 127.0.0.1, port: {mosquitto.port}}}\napi: {{port: {port}}}\n"
    )
    return path


@pytest.fixture
def controller(settings):
    """Starts the program; kills what is left."""
    started = []

    def start():
        command = [sys.executable, "-m", "controller", "--config", settings]
        started.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.wait()


async def agents_speak(mosquitto, fleet):
    """What every agent would have retained."""
    async with mosquitto.client() as client:
        for pop, host in fleet.hosts():
            seen = tuple(
                Sighting(pop=name, uplink="north", family=Family.V4, up=True)
                for name in fleet.pops
                if name != pop.name
            )
            for channel, body in (
                (Channel.REPORT, Report(instance="x", order_epoch=3)),
                (Channel.SIGHTINGS, Sightings(instance="x", seen=seen)),
            ):
                topic = spell("test", OfHost(pop.name, host, channel))
                await client.publish(topic, encode(body), qos=1, retain=True)


async def test_sigterm_says_goodbye_and_a_restart_is_above_every_epoch_before(
    mosquitto, controller, settings
):
    fleet = load_fleet(settings.parent / "fleet.yaml")
    presence = encode(ControllerPresence(online=False, instance="old", since=0), Stamp(9))
    async with mosquitto.client() as before:
        await before.publish(spell("test", FromController()), presence, qos=1, retain=True)
    await agents_speak(mosquitto, fleet)
    async with listening(mosquitto) as listener:
        first = controller()
        assert (await listener.next(Order)).stamp.epoch == 10
        first.send_signal(signal.SIGTERM)
        gone = await listener.next(
            ControllerPresence, lambda _, each: not each.body.online and each.stamp.epoch > 9
        )
        assert gone.stamp.epoch == 10
        assert first.wait(10) == 0
        controller()
        second = await listener.next(ControllerPresence, lambda _, each: each.body.online)
        assert second.stamp.epoch == 11


async def test_a_restart_over_a_broken_fleet_file_goes_on_with_the_fleet_of_before(
    mosquitto, controller, settings
):
    file = settings.parent / "fleet.yaml"
    await agents_speak(mosquitto, load_fleet(file))
    async with listening(mosquitto) as listener:
        first = controller()
        epoch = (await listener.next(Order)).stamp.epoch
        first.send_signal(signal.SIGTERM)
        assert first.wait(10) == 0
        file.write_text("colour: red\n")
        controller()
        second = await listener.next(
            ControllerPresence, lambda _, each: each.body.online and each.stamp.epoch > epoch
        )
        assert second.stamp.epoch == epoch + 1
    base = sqlite3.connect(settings.parent / "journal.sqlite")
    events = [what for (what,) in base.execute("select what from happened")]
    base.close()
    assert len([each for each in events if b"fleet.refused" in each]) == 1
