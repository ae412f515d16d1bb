"""Delayed links, by netem or by the relay: the delay is there, and a cut is seen."""

import re
import time

import pytest

from lab.engines import up
from lab.topology import three_pops

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def far(name):
    topology = three_pops("bird", delay="20ms", pop_programs="exabgp-healthcheck")
    with up(topology, name=f"{name}far") as running:
        yield running


def test_a_delayed_link_takes_its_delay_each_way(far):
    assert far.delay in {"netem", "relay"}
    shown = far.exec("c1", ["ping", "-c5", "-i0.1", "-q", "10.3.1.2"]).stdout
    least = float(re.search(r"= ([\d.]+)/", shown)[1])
    assert 40.0 <= least < 60.0


def test_a_near_link_takes_none(far):
    shown = far.exec("c1", ["ping", "-c5", "-i0.1", "-q", "198.19.1.1"]).stdout
    assert float(re.search(r"= ([\d.]+)/", shown)[1]) < 10.0


def test_a_cut_is_seen_at_the_other_end_and_so_is_its_end(far, until):
    def carrier():
        return far.exec("ams", ["cat", "/sys/class/net/eth1/carrier"]).stdout.strip()

    far.link_down("ams", "eth1")
    until(lambda: carrier() == "0")
    far.link_up("ams", "eth1")
    until(lambda: carrier() == "1")
    deadline = time.monotonic() + 5
    while far.exec("t3", ["ping", "-c1", "-W1", "10.3.1.2"], check=False).returncode:
        assert time.monotonic() < deadline
