"""The program as a process: start, signals, end; with role dns only, so no kernel is touched."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from pathlib import Path

import pytest
import yaml

from ambicast.contract.codec import decode
from ambicast.contract.topics import everything
from tests.behaviour.mosquitto.brokers import Mosquitto

FLEET = Path(__file__).parents[3] / "configs" / "fleet.yaml"


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def file(tmp_path, mosquitto):
    """Settings of ams-2, a second host of ams that only answers DNS."""
    fleet = yaml.safe_load(FLEET.read_text())
    fleet["pops"]["ams"]["hosts"] = {"ams-1": {"roles": ["bgp"]}, "ams-2": {"roles": ["dns"]}}
    fleet["nameservers"]["ams"]["host"] = "ams-2"
    for source in fleet["clients"]["sources"]:
        source["file"] = str(FLEET.parent / source["file"])
    (tmp_path / "fleet.yaml").write_text(yaml.safe_dump(fleet))
    settings = {
        "fleet": str(tmp_path / "fleet.yaml"),
        "pop": "ams",
        "host": "ams-2",
        "broker": {"host": "127.0.0.1", "port": mosquitto.port},
        "state_dir": str(tmp_path / "state"),
        "socket": str(tmp_path / "agent.sock"),
        "knot": {"socket": str(tmp_path / "knot.sock"), "directory": str(tmp_path / "knot")},
    }
    path = tmp_path / "agent.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


async def start(file):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "agents", "--config", str(file)),
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )


async def log_line(process, word):
    async with asyncio.timeout(20):
        async for line in process.stderr:
            if word in line.decode():
                return line.decode()
    return pytest.fail(f"the process ended without saying {word!r}")


async def presence(client, *, online):
    async with asyncio.timeout(20):
        async for message in client.messages:
            if message.topic.value.endswith("ams-2/presence"):
                body = decode(message.payload).body
                if body.online is online:
                    return body
    return None


async def test_it_comes_obeys_signals_and_goes(file, mosquitto):
    async with mosquitto.client() as client:
        await client.subscribe(everything("example"), qos=1)
        process = await start(file)
        assert (await presence(client, online=True)).roles == ("dns",)

        good = file.read_text()
        file.write_text("nonsense")
        process.send_signal(signal.SIGHUP)
        assert "a mapping of settings" in await log_line(process, "settings kept")
        file.write_text(good)
        process.send_signal(signal.SIGHUP)
        assert '"after_restart": []' in await log_line(process, "settings read")

        process.send_signal(signal.SIGTERM)
        await presence(client, online=False)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert not (file.parent / "state" / "starts.json").exists(), "a clean end is no crash"


async def test_the_service_manager_hears_that_it_is_ready_lives_and_stops(file, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.bind(str(file.parent / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(file.parent / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "4000000")
        process = await start(file)
        assert "READY=1" in await heard(manager, "READY=1")
        # It lives: signs of its loop, a second or so apart, for as long as that turns.
        await heard(manager, "WATCHDOG=1")
        await heard(manager, "WATCHDOG=1")
        process.send_signal(signal.SIGSTOP)
        drain(manager)
        with pytest.raises(TimeoutError):
            await heard(manager, "WATCHDOG=1", within=3)
        process.send_signal(signal.SIGCONT)
        await heard(manager, "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        await heard(manager, "STOPPING=1")
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def heard(manager, word, within=20):
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(within):
        while True:
            words = (await loop.sock_recv(manager, 4096)).decode().split("\n")
            if word in words:
                return words


def drain(manager):
    with contextlib.suppress(BlockingIOError):
        while manager.recv(4096):
            pass


async def test_bad_settings_end_it_with_2_and_one_line(file):
    file.write_text(file.read_text() + "colour: red\n")
    process = await start(file)
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().count("\n") == 1
    assert "agent.yaml: colour: unknown" in said.decode()
