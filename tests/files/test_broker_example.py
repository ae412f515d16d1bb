"""configs/mosquitto.conf starts a broker in which everybody says only what is theirs."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from pathlib import Path

import aiomqtt
import pytest

from ambicast.contract.topics import (
    Channel,
    FromController,
    OfHost,
    OfNameserver,
    everything,
    everything_from_agents,
    parse,
    spell,
)
from ambicast.files import load_fleet

pytestmark = pytest.mark.integration

CONFIGS = Path(__file__).parents[2] / "configs"
FLEET = load_fleet(CONFIGS / "fleet.yaml")
USERS = ["controller", "viewer", *sorted(host for _, host in FLEET.hosts())]
MQTT5 = aiomqtt.ProtocolVersion.V5

UP = (Channel.PRESENCE, Channel.RECEIPT, Channel.REPORT)
OF_HOST = (*UP, Channel.SIGHTINGS, Channel.TELEMETRY)


def may(user: str) -> set:
    """What each user may say, written down a second time."""
    if user == "controller":
        orders = {OfHost(pop.name, host, Channel.ORDER) for pop, host in FLEET.hosts()}
        steering = {
            OfNameserver(name, channel)
            for name in FLEET.nameservers
            for channel in (Channel.STEERING, Channel.MAP)
        }
        return {FromController()} | orders | steering
    said = {
        OfHost(pop.name, host, channel)
        for pop, host in FLEET.hosts()
        if host == user
        for channel in OF_HOST
    }
    for name, each in FLEET.nameservers.items():
        said |= {OfNameserver(name, channel) for channel in UP if each.host == user}
    return said


ALL = {
    FromController(),
    *(OfHost(pop.name, host, channel) for pop, host in FLEET.hosts() for channel in Channel),
    *(OfNameserver(name, channel) for name in FLEET.nameservers for channel in Channel),
}


def _settings(folder: Path, port: int, tls_port: int) -> str:
    text = (CONFIGS / "mosquitto.conf").read_text()
    acl = folder / "mosquitto.acl"
    acl.write_text((CONFIGS / "mosquitto.acl").read_text())
    acl.chmod(0o600)
    for old, new in [
        ("listener 1883 10.200.0.10\n", ""),
        ("listener 1883 127.0.0.1", f"listener {port} 127.0.0.1"),
        ("listener 8883", f"listener {tls_port} 127.0.0.1"),
        ("/etc/mosquitto/ambicast.passwords", f"{folder}/passwords"),
        ("/etc/mosquitto/mosquitto.acl", str(acl)),
        ("/etc/mosquitto/certs", str(folder)),
        ("/var/lib/mosquitto/", f"{folder}/"),
    ]:
        assert old in text
        text = text.replace(old, new)
    return f"user root\nlog_type information\n{text}"


def _secrets(folder: Path) -> None:
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{user}:{user}\n" for user in USERS))
    subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", folder / "broker.key", "-out", folder / "broker.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "ca.pem").write_text((folder / "broker.pem").read_text())


@pytest.fixture
def broker(tmp_path):
    """A broker with the example's settings; its plain port, its TLS port, its certificate."""
    _secrets(tmp_path)
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        port, tls_port = one.getsockname()[1], two.getsockname()[1]
    path = tmp_path / "mosquitto.conf"
    path.write_text(_settings(tmp_path, port, tls_port))
    command = ["mosquitto", "-c", path]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = [next(process.stderr)]
            while not said[-1].endswith("running\n"):
                said.append(next(process.stderr, "") or pytest.fail("".join(said)))
            yield port, tls_port, tmp_path / "ca.pem"
        finally:
            process.terminate()


def client(port, user, **more):
    return aiomqtt.Client(
        "127.0.0.1", port, username=user, password=user, protocol=MQTT5, timeout=5, **more
    )


async def _say_everything(port, user, topics):
    async with client(port, user) as speaker:
        for topic in sorted(topics, key=str):
            with contextlib.suppress(aiomqtt.MqttCodeError):  # not authorised
                await speaker.publish(spell(FLEET.name, topic), user, qos=1)


async def test_everybody_says_only_what_is_theirs(broker):
    heard = set()
    async with client(broker[0], "viewer") as viewer:
        await viewer.subscribe(everything(FLEET.name), qos=1)
        for user in ("viewer", "ams-1", "lhr-1", "controller"):
            await _say_everything(broker[0], user, ALL - {FromController()})
        await _say_everything(broker[0], "ams-1", {FromController()})
        await _say_everything(broker[0], "controller", {FromController()})  # ends the loop below
        async for message in viewer.messages:
            heard.add((message.payload.decode(), parse(FLEET.name, message.topic.value)))
            if message.topic.value == spell(FLEET.name, FromController()):
                break
    said = {(user, topic) for user in ("ams-1", "lhr-1", "controller") for topic in may(user)}
    assert heard == said


async def test_an_agent_hears_its_own_orders_only(broker):
    orders = {OfHost(pop.name, host, Channel.ORDER) for pop, host in FLEET.hosts()}
    steering = {OfNameserver(name, Channel.STEERING) for name in FLEET.nameservers}
    mine = OfHost("ams", "ams-1", Channel.ORDER)
    async with client(broker[0], "ams-1") as agent:
        await agent.subscribe(everything(FLEET.name), qos=1)
        await _say_everything(broker[0], "controller", (orders | steering) - {mine})
        await _say_everything(broker[0], "controller", {mine})
        heard = []
        async for message in agent.messages:
            heard.append(parse(FLEET.name, message.topic.value))
            if heard[-1] == mine:
                break
    assert heard == [OfNameserver("ams", Channel.STEERING), mine]


async def test_the_controller_hears_every_agent(broker):
    async with client(broker[0], "controller") as controller:
        for pattern in everything_from_agents(FLEET.name):
            await controller.subscribe(pattern, qos=1)
        await _say_everything(broker[0], "ams-1", may("ams-1"))
        heard = set()
        async for message in controller.messages:
            heard.add(parse(FLEET.name, message.topic.value))
            if heard == may("ams-1"):
                break


@pytest.mark.parametrize("user", [None, "nobody"])
async def test_who_has_no_password_stays_outside(broker, user):
    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authorized"):
        async with client(broker[0], user):
            pass


async def test_people_come_in_through_tls(broker):
    _, port, authority = broker
    tls = aiomqtt.TLSParameters(ca_certs=str(authority))
    async with client(port, "viewer", tls_params=tls) as viewer:
        await viewer.subscribe(everything(FLEET.name), qos=1)
