"""configs/mosquitto.conf starts a broker in which everybody says only what is theirs."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from pathlib import Path

import aiomqtt
import pytest

from ambicast.contract.access import access_list
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
from lab.topology.certificates import Authority

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


def _settings(folder: Path, port: int, extra: str) -> str:
    text = (CONFIGS / "mosquitto.conf").read_text()
    acl = folder / "mosquitto.acl"
    acl.write_text((CONFIGS / "mosquitto.acl").read_text())
    acl.chmod(0o600)
    for old, new in [
        ("listener 8883", f"listener {port} 127.0.0.1\n{extra}"),
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
    authority = Authority()
    (folder / "ca.pem").write_text(authority.certificate)
    for name, file in (("localhost", "broker"), ("ams-1", "ams-1")):
        pair = authority.issue(name, ["127.0.0.1"])
        (folder / f"{file}.pem").write_text(pair.certificate)
        (folder / f"{file}.key").write_text(pair.key)


@contextlib.contextmanager
def running(folder: Path, extra: str = ""):
    """A broker with the example's settings: its port and its folder, where the secrets are."""
    _secrets(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = folder / "mosquitto.conf"
    path.write_text(_settings(folder, port, extra))
    command = ["mosquitto", "-c", path]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = [next(process.stderr)]
            while not said[-1].endswith("running\n"):
                said.append(next(process.stderr, "") or pytest.fail("".join(said)))
            yield port, folder
        finally:
            process.terminate()


@pytest.fixture
def broker(tmp_path):
    with running(tmp_path) as (port, folder):
        yield port, folder / "ca.pem"


def client(broker, user, password=None, **more):
    port, authority = broker
    more.setdefault("tls_params", aiomqtt.TLSParameters(ca_certs=str(authority)))
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        username=user,
        password=password or user,
        protocol=MQTT5,
        timeout=5,
        **more,
    )


async def _say_everything(broker, user, topics):
    async with client(broker, user) as speaker:
        await _say_through(speaker, user, topics)


async def _say_through(speaker, user, topics):
    for topic in sorted(topics, key=str):
        with contextlib.suppress(aiomqtt.MqttCodeError):  # not authorised
            await speaker.publish(spell(FLEET.name, topic), user, qos=1)


async def test_everybody_says_only_what_is_theirs(broker):
    heard = set()
    async with client(broker, "viewer") as viewer:
        await viewer.subscribe(everything(FLEET.name), qos=1)
        await _say_through(viewer, "viewer", ALL - {FromController()})
        for user in ("ams-1", "lhr-1", "controller"):
            await _say_everything(broker, user, ALL - {FromController()})
        await _say_everything(broker, "ams-1", {FromController()})
        await _say_everything(broker, "controller", {FromController()})  # ends the loop below
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
    async with client(broker, "ams-1") as agent:
        await agent.subscribe(everything(FLEET.name), qos=1)
        await _say_everything(broker, "controller", (orders | steering) - {mine})
        await _say_everything(broker, "controller", {mine})
        heard = []
        async for message in agent.messages:
            heard.append(parse(FLEET.name, message.topic.value))
            if heard[-1] == mine:
                break
    assert heard == [OfNameserver("ams", Channel.STEERING), mine]


async def test_the_controller_hears_every_agent(broker):
    async with client(broker, "controller") as controller:
        for pattern in everything_from_agents(FLEET.name):
            await controller.subscribe(pattern, qos=1)
        await _say_everything(broker, "ams-1", may("ams-1"))
        heard = set()
        async for message in controller.messages:
            heard.add(parse(FLEET.name, message.topic.value))
            if heard == may("ams-1"):
                break


async def test_a_host_hears_the_controllers_presence(broker):
    async with client(broker, "lhr-1") as agent:
        await agent.subscribe(everything(FLEET.name), qos=1)
        await _say_everything(broker, "controller", may("controller"))
        heard = set()
        async for message in agent.messages:
            heard.add(parse(FLEET.name, message.topic.value))
            if heard == {FromController(), OfHost("lhr", "lhr-1", Channel.ORDER)}:
                break


async def test_nobody_throws_another_off_by_taking_its_id(broker):
    mine = spell(FLEET.name, OfHost("ams", "ams-1", Channel.ORDER))
    async with client(broker, "ams-1", identifier="ams-1") as agent:
        await agent.subscribe(mine, qos=1)
        async with client(broker, "fra-1", identifier="ams-1") as thief:
            await thief.subscribe(everything(FLEET.name), qos=1)
            await _say_everything(broker, "controller", {OfHost("ams", "ams-1", Channel.ORDER)})
            async with asyncio.timeout(5):
                assert (await anext(agent.messages)).topic.value == mine


@pytest.mark.parametrize(("user", "password"), [(None, None), ("nobody", "x"), ("ams-1", "fra-1")])
async def test_who_has_no_password_stays_outside(broker, user, password):
    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authorized"):
        async with client(broker, user, password):
            pass


async def test_nobody_comes_in_without_tls(broker):
    with pytest.raises(aiomqtt.MqttError):
        async with client(broker, "ams-1", tls_params=None):
            pass


def shake_hands(port, authority, name):
    context = ssl.create_default_context(cafile=authority)
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.version()


def test_the_brokers_certificate_is_believed_only_from_its_authority_and_for_its_name(
    broker, tmp_path
):
    port, authority = broker
    assert shake_hands(port, authority, "127.0.0.1") in {"TLSv1.2", "TLSv1.3"}
    assert shake_hands(port, authority, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shake_hands(port, authority, "127.0.0.2")
    (tmp_path / "other.pem").write_text(Authority().certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(port, tmp_path / "other.pem", "127.0.0.1")


async def test_a_certificate_may_stand_for_a_name_and_password(tmp_path):
    extra = "require_certificate true\nuse_identity_as_username true\n"
    with running(tmp_path, extra) as (port, folder):
        broker = (port, folder / "ca.pem")
        mine = aiomqtt.TLSParameters(
            ca_certs=str(folder / "ca.pem"),
            certfile=str(folder / "ams-1.pem"),
            keyfile=str(folder / "ams-1.key"),
        )
        with pytest.raises(aiomqtt.MqttError):
            async with client(broker, "ams-1"):
                pass
        other = spell(FLEET.name, OfHost("fra", "fra-1", Channel.REPORT))
        own = spell(FLEET.name, OfHost("ams", "ams-1", Channel.ORDER))
        async with client(broker, None, tls_params=mine) as agent:
            await agent.publish(other, b"not mine", qos=1, retain=True)
            await agent.publish(own, b"an order to myself", qos=1, retain=True)
            await agent.subscribe(everything(FLEET.name), qos=1)
            report = spell(FLEET.name, OfHost("ams", "ams-1", Channel.REPORT))
            await agent.publish(report, b"mine", qos=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await anext(agent.messages)


def test_the_access_list_is_what_the_command_writes():
    assert (CONFIGS / "mosquitto.acl").read_text() == access_list(FLEET)
