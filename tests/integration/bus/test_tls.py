"""Both ends through TLS, each with its own name and password, under the fleet's access list."""

from __future__ import annotations

from pathlib import Path

import aiomqtt
import pytest

from agents.advertising.observations import BusChanged, ControllerSeen
from ambicast.broker.settings import Tls
from ambicast.contract.access import access_list, users
from ambicast.contract.codec import Stamp, encode
from ambicast.contract.messages import Report
from ambicast.contract.topics import Channel, FromController, OfHost, everything, spell
from controller.world.observations import BusChanged as ControllerBusChanged
from controller.world.observations import HostAnswered
from lab.topology.certificates import Authority
from lab.topology.credentials import password_file
from tests.agents_advertising.hosts import OWN
from tests.behaviour.mosquitto.brokers import Mosquitto
from tests.choreography.fleets import three_pops
from tests.integration.bus.ends import (
    ORDER_TOPIC,
    ControllerEnd,
    HostEnd,
    an_order,
    running,
    until,
)

SETTINGS = """\
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/access
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
use_username_as_clientid true
"""


class Fortress(Mosquitto):
    """A broker with TLS, passwords (each user's own name) and the access list of the fleet."""

    def __init__(self, folder, addresses=("127.0.0.1",)):
        super().__init__(folder, SETTINGS.format(folder=folder))
        text = self._settings.read_text().replace("allow_anonymous true\n", "")
        self._settings.write_text(text)
        self.folder = folder
        fleet = three_pops()
        self.set_passwords({user: user for user in users(fleet)})
        (folder / "access").write_text(access_list(fleet))
        authority = Authority()
        pair = authority.issue("broker", addresses)
        (folder / "ca.pem").write_text(authority.certificate)
        (folder / "broker.pem").write_text(pair.certificate)
        (folder / "broker.key").write_text(pair.key)

    def set_passwords(self, passwords):
        (self.folder / "passwords").write_text(password_file(passwords))

    def secret(self, user, word=None):
        path = self.folder / f"{user}.password"
        path.write_text(f"{word or user}\n")
        return path

    def host(self, user="ams-1", authority="ca.pem"):
        tls = Tls(self.folder / authority)
        return HostEnd(self.port, username=user, password_file=self.secret(user), tls=tls)

    def controller(self):
        tls = Tls(self.folder / "ca.pem")
        secret = self.secret("controller")
        return ControllerEnd(self.port, username="controller", password_file=secret, tls=tls)

    def client(self, user, **settings):
        tls = aiomqtt.TLSParameters(ca_certs=str(self.folder / "ca.pem"))
        return super().client(username=user, password=user, tls_params=tls, **settings)


@pytest.fixture
def fortress(tmp_path):
    broker = Fortress(tmp_path)
    broker.start()
    yield broker
    broker.kill()


def connected(host):
    return host.seen[-1:] != [] and BusChanged(connected=True) in host.seen


async def test_orders_receipts_and_beats_pass(fortress):
    host, controller = fortress.host(), fortress.controller()
    async with running(host, controller):
        controller.give(2, OWN)
        await until(lambda: host.held == Stamp(1, 2))
        await until(lambda: any(e.stamp == Stamp(1, 2) for e in controller.of(HostAnswered)))
        await until(lambda: ControllerSeen(online=True, epoch=1) in host.seen)


async def test_messages_that_come_in_one_piece_all_arrive(fortress):
    """One record of TLS may hold several messages; nothing may wait for the next record."""
    host = fortress.host()
    async with running(host), fortress.client("controller") as client:
        await until(lambda: connected(host))
        for generation in range(2, 300):
            await client.publish(ORDER_TOPIC, an_order(generation, OWN), qos=0)
        await until(lambda: host.held == Stamp(1, 299))
        large = an_order(300, OWN).replace(b'"reason":""', b'"reason":"%b"' % (b"x" * 250_000))
        await client.publish(ORDER_TOPIC, large, qos=1)
        await until(lambda: host.held == Stamp(1, 300))


async def test_a_host_cannot_speak_for_another_nor_give_orders(fortress):
    forbidden = [
        OfHost("fra", "fra-1", Channel.REPORT),
        OfHost("fra", "fra-1", Channel.SIGHTINGS),
        OfHost("fra", "fra-1", Channel.ORDER),
        OfHost("ams", "ams-1", Channel.ORDER),
        FromController(),
    ]
    mine = OfHost("ams", "ams-1", Channel.REPORT)
    async with fortress.client("viewer") as viewer, fortress.client("ams-1") as ams:
        await viewer.subscribe(everything("test"), qos=1)
        for topic in (*forbidden, mine):
            await ams.publish(spell("test", topic), encode(Report(instance="ams")), qos=1)
        assert (await anext(viewer.messages)).topic.value == spell("test", mine)


async def test_a_host_cannot_throw_another_nor_the_controller_off_by_taking_its_id(fortress):
    host, controller = fortress.host(), fortress.controller()
    async with running(host, controller):
        await until(lambda: connected(host) and controller.connected)
        for stolen in ("ams-1", "controller", "ambicast-test-ams-ams-1", "controller-run1"):
            async with fortress.client("fra-1", identifier=stolen) as thief:
                await thief.subscribe(everything("test"), qos=1)
        controller.give(2, OWN)
        await until(lambda: host.held == Stamp(1, 2))
        await until(lambda: any(e.stamp == Stamp(1, 2) for e in controller.of(HostAnswered)))
        assert BusChanged(connected=False) not in host.seen
        assert ControllerBusChanged(connected=False) not in controller.told


async def test_a_new_connection_of_the_same_user_ends_the_one_before(fortress):
    host = fortress.host()
    async with running(host):
        await until(lambda: connected(host))
        async with fortress.client("ams-1", identifier="another"):
            await until(lambda: BusChanged(connected=False) in host.seen)
        await until(lambda: host.seen[-1] == BusChanged(connected=True))


async def test_a_password_that_was_changed_is_used_at_the_next_connect(fortress):
    host = fortress.host()
    async with running(host):
        await until(lambda: connected(host))
        fortress.kill()
        fortress.set_passwords({"ams-1": "new", "controller": "controller"})
        fortress.start()
        await until(lambda: host.bus.reconnects >= 3)
        assert host.seen[-1] == BusChanged(connected=False)
        fortress.secret("ams-1", "new")
        await until(lambda: host.seen[-1] == BusChanged(connected=True))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_that_cannot_prove_who_it_is_is_told_nothing(fortress):
    (fortress.folder / "other.pem").write_text(Authority().certificate)
    host = fortress.host(authority="other.pem")
    async with running(host):
        await until(lambda: host.bus.reconnects >= 3)
        assert not connected(host)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_a_certificate_for_another_address_is_told_nothing(tmp_path):
    broker = Fortress(tmp_path, addresses=("127.0.0.9",))
    broker.start()
    host, controller = broker.host(), broker.controller()
    try:
        async with running(host, controller):
            await until(lambda: host.bus.reconnects >= 3 and len(controller.told) >= 3)
            assert not connected(host)
            assert not controller.connected
    finally:
        broker.kill()


async def test_a_certificate_that_is_missing_is_waited_for(fortress):
    path = Path(fortress.folder / "ca.pem")
    text = path.read_text()
    path.unlink()
    host, controller = fortress.host(), fortress.controller()
    async with running(host, controller):
        await until(lambda: host.bus.reconnects >= 2 and len(controller.told) >= 2)
        path.write_text(text)
        await until(lambda: connected(host) and controller.connected)
