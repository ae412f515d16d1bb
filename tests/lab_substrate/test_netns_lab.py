"""A lab of network namespaces, alive: reachability, faults, programs, power."""

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from lab.engines import LabError, attach, up
from lab.engines.bringing import monitor
from lab.engines.namespaces import namespaces_of
from lab.engines.status import status
from lab.fibs.namespaces import inside
from lab.topology import three_pops

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
HOME = "198.18.0.10"


def pings(lab, node, address):
    argv = ["ping", "-c1", "-W1", "-q", address]
    return lab.exec(node, argv, check=False).returncode == 0


def asks(lab, node, address, payload):
    """What the UDP service answers, asked from inside a node; None without an answer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(lab.network(node)):
        sock = socket.socket(family, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(1.0)
        sock.connect((address, 9000))  # so that a reply from another address is not taken
        sock.send(payload)
        try:
            return sock.recv(2048)
        except (TimeoutError, ConnectionRefusedError):
            return None


def ends(fibs, address, node):
    """Whether packets of c1 for an address end at a node, by now."""
    fibs.read()
    return fibs.walk("c1", address).end == node


@pytest.fixture
def healthy(lab, fibs, until):
    """Every client reaches ams by both families."""

    def reached():
        fibs.read()
        return all(
            fibs.walk(client, address).end == "ams"
            for client in ("c1", "c2", "c3")
            for address in (HOME, "2001:db8:1000::a")
        )

    lab.restore("ams")
    until(reached)


def test_identity_addresses_are_reachable_from_everywhere(lab):
    assert pings(lab, "ams", "10.5.2.2")
    assert pings(lab, "c1", "10.3.1.2")
    assert pings(lab, "c3", "fd00:4:0:1::2")
    assert pings(lab, "lhr", "10.1.9.2")


@pytest.mark.usefixtures("healthy")
def test_the_service_answers_from_the_address_it_was_asked_on(lab):
    for address in (HOME, "2001:db8:1000::a", "10.4.1.2", "fd00:4:0:1::2"):
        assert asks(lab, "c2", address, b"17") == b"ams 17"


@pytest.mark.usefixtures("healthy")
def test_silence_is_silent_and_leaves_the_carrier(lab, fibs):
    lab.silence("ams")
    lab.silence("ams")
    assert asks(lab, "c1", "10.3.1.2", b"x") is None
    assert not pings(lab, "ams", "10.3.1.1")
    assert lab.exec("ams", ["cat", "/sys/class/net/eth1/carrier"]).stdout == "1\n"
    assert pings(lab, "ams", "127.0.0.1")
    fibs.read()
    assert fibs.walk("c1", HOME).end == "ams"  # nobody noticed: that is the point
    lab.restore("ams")
    lab.restore("ams")
    assert asks(lab, "c1", "10.3.1.2", b"x") == b"ams x"


def test_a_silenced_node_sends_nothing_and_does_not_notice(lab):
    send = (
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('198.19.1.10', 7000))"
    )
    with inside(lab.network("c1")):
        sock = socket.socket(type=socket.SOCK_DGRAM)
    with sock:
        sock.bind(("198.19.1.10", 7000))
        sock.settimeout(0.5)
        lab.exec("ams", ["python3", "-c", send])
        assert sock.recv(16) == b"x"
        lab.silence("ams")
        lab.exec("ams", ["python3", "-c", send])  # an error here would be EPERM: no silence
        with pytest.raises(TimeoutError):
            sock.recv(16)
        lab.restore("ams")


@pytest.mark.usefixtures("healthy")
def test_one_silent_link_leaves_the_other_working(lab):
    lab.link_silent("ams", "eth1")
    assert not pings(lab, "t3", "10.3.1.2")
    assert pings(lab, "t4", "10.4.1.2")
    lab.link_up("ams", "eth1")
    assert pings(lab, "t3", "10.3.1.2")


@pytest.mark.usefixtures("healthy")
def test_a_cut_link_costs_the_carrier_and_routers_go_around(lab, fibs, until):
    lab.link_down("ams", "eth1")
    until(lambda: lab.exec("ams", ["cat", "/sys/class/net/eth1/carrier"]).stdout == "0\n")
    until(lambda: ends(fibs, HOME, "ams"))
    assert "t4" in fibs.walk("c1", HOME).nodes
    assert "10.3.1.2" in lab.exec("ams", ["ip", "address", "show", "eth1"]).stdout
    lab.link_up("ams", "eth1")
    until(lambda: ends(fibs, HOME, "ams") and fibs.walk("c1", HOME).nodes[1] == "t3")


async def test_a_routers_change_of_mind_is_an_event_within_milliseconds(lab):
    begun = time.clock_gettime_ns(time.CLOCK_REALTIME)
    with monitor(lab) as watching:
        lab.exec("t3", ["ip", "route", "add", "192.0.2.0/24", "via", "10.3.1.2"])
        done = time.clock_gettime_ns(time.CLOCK_REALTIME)
        async for event in watching.events():
            if event.prefix == "192.0.2.0/24":
                break
    lab.exec("t3", ["ip", "route", "del", "192.0.2.0/24"])
    assert (event.node, event.what, event.gateway) == ("t3", "route-added", "10.3.1.2")
    assert event.interface == "eth1"
    assert begun < event.t_ns < done + 50_000_000


@pytest.mark.usefixtures("healthy")
def test_a_partition_drops_what_is_named_and_nothing_else(lab):
    lab.partition("ams", ["10.1.9.2", "fd00:1:0:9::2"])
    assert not pings(lab, "ams", "10.1.9.2")
    assert not pings(lab, "ctl1", "10.4.1.2")
    assert pings(lab, "ams", "10.5.2.2")
    lab.restore("ams")
    assert pings(lab, "ams", "10.1.9.2")


def test_a_failed_service_answers_nothing_but_its_check(lab, until):
    lab.signal("lhr", "service", signal.SIGUSR1)
    get = ["python3", "-m", "lab.nodes.ask"]
    url = "http://127.0.0.1/healthz"
    until(lambda: lab.exec("lhr", [*get, url], check=False).returncode == 1)
    assert asks(lab, "c3", "10.5.3.2", b"x") is None
    lab.signal("lhr", "service", signal.SIGUSR2)
    until(lambda: lab.exec("lhr", [*get, url], check=False).returncode == 0)
    assert asks(lab, "c3", "10.5.3.2", b"x") == b"lhr x"


def test_a_killed_program_comes_back_and_a_stopped_one_does_not(lab, until):
    first = lab.program_pid("fra", "service")
    lab.signal("fra", "service", signal.SIGKILL)
    second = until(
        lambda: (pid := lab.program_pid("fra", "service")) is not None and pid != first and pid
    )
    lab.stop("fra", "service")
    assert not Path(f"/proc/{second}").exists()
    assert lab.program_pid("fra", "service") is None
    with pytest.raises(LabError, match="not running"):
        lab.signal("fra", "service", signal.SIGUSR1)
    lab.start("fra", "service")
    until(lambda: asks(lab, "c2", "10.4.2.2", b"x") == b"fra x")


def test_an_unknown_program_or_interface_is_refused_with_those_that_exist(lab):
    with pytest.raises(LabError, match="there are service, exabgp"):
        lab.stop("ams", "agent")
    with pytest.raises(LabError, match="there are eth1, eth2"):
        lab.link_down("ams", "eth3")


@pytest.mark.usefixtures("healthy")
def test_a_node_without_power_is_gone_and_comes_back_as_it_was(lab, fibs, until):
    before = lab.pid("ams")
    lab.poweroff("ams")
    assert not lab.is_on("ams")
    assert not Path(f"/proc/{before}").exists()
    until(lambda: ends(fibs, HOME, "fra"))  # the cover
    lab.restore("ams")
    assert lab.pid("ams") != before
    until(lambda: ends(fibs, HOME, "ams"))
    until(lambda: asks(lab, "c1", HOME, b"x") == b"ams x")


def test_anyone_can_take_hold_of_a_lab_by_its_name(lab, name):
    other = attach(name)
    assert other.pid("c1") == lab.pid("c1")
    assert other.topology == lab.topology
    body = status(other)
    assert body["nodes"]["t3"]["asn"] == 64603
    assert body["nodes"]["c2"]["programs"]["resolver"] is not None


def test_a_second_lab_of_the_same_name_is_refused(lab, name):
    with pytest.raises(LabError, match="is up already"):
        up(lab.topology, name=name)


def test_a_command_inside_a_node_ends_with_whoever_waits_for_it(lab, until):
    process = lab.popen("c1", ["sleep", "4321"])
    sleeper = ["pgrep", "-x", "-f", "sleep 4321"]
    until(lambda: lab.exec("c1", sleeper, check=False).returncode == 0)
    process.terminate()
    process.wait()
    until(lambda: lab.exec("c1", sleeper, check=False).returncode == 1)


def test_two_labs_stand_side_by_side_and_down_leaves_nothing(lab, name):
    second = f"{name}b"
    with up(three_pops("mixed"), name=second) as other:
        assert other.api != lab.api
        assert pings(other, "c1", "10.5.3.2")
        interface = other.state.management.interface
        pid = other.pid("ams")
    other.down()
    assert namespaces_of(second) == []
    assert not Path(f"/proc/{pid}").exists()
    assert subprocess.run(["ip", "link", "show", interface], check=False).returncode != 0
    with pytest.raises(LabError, match="no lab"):
        attach(second)
    assert pings(lab, "c1", "10.5.3.2")
