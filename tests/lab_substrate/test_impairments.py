"""What a relay does to frames: by the numbers, and in a lab that is up."""

import re
import statistics

import pytest

from lab.engines import LabError, up
from lab.engines.impairments import Impairment
from lab.engines.relay import MOST_WAITING, Way, flow_of
from lab.topology import three_pops

MS = 0.001
LINK = "ams:eth1"


def frame(flow=1, number=0):
    """An IPv4 UDP frame of a flow (its source port)."""
    ip = bytes([0x45, 0]) + bytes(7) + bytes([17]) + bytes(2) + bytes([10, 0, 0, 1, 10, 0, 0, 2])
    return bytes(12) + b"\x08\x00" + ip + flow.to_bytes(2, "big") + bytes(2) + bytes([number])


def sent(way, frames, every=10 * MS):
    """When each of these frames comes out, counted from when it went in."""
    out = []
    for place, each in enumerate(frames):
        due = way.due(each, place * every)
        way.waiting += 1
        out.append(None if due is None else due - place * every)
    return out


def test_without_impairment_a_frame_is_due_at_once_or_after_the_links_own_delay():
    assert Way(0.0).due(frame(), 5.0) == 5.0
    assert Way(20 * MS).due(frame(), 5.0) == 5.0 + 20 * MS


def test_delay_comes_on_top_of_the_links_own_and_goes_again():
    way = Way(20 * MS)
    way.impair(Impairment(delay_s=30 * MS))
    assert way.due(frame(), 0.0) == pytest.approx(50 * MS)
    way.impair(Impairment())
    assert way.due(frame(), 1.0) == pytest.approx(1.0 + 20 * MS)


def test_jitter_is_uniform_between_nothing_and_its_value():
    way = Way(0.0)
    way.impair(Impairment(jitter_s=30 * MS))
    late = sent(way, [frame(flow) for flow in range(2000)], every=0)
    assert 0 <= min(late) < 2 * MS
    assert 28 * MS < max(late) <= 30 * MS
    assert statistics.mean(late) == pytest.approx(15 * MS, rel=0.1)


def test_jitter_never_reorders_a_flow_and_leaves_others_alone():
    way = Way(0.0)
    way.impair(Impairment(jitter_s=30 * MS))
    dues = {1: [], 2: []}
    for place in range(500):
        flow = 1 + place % 2
        dues[flow].append(way.due(frame(flow), place * MS))
        way.waiting += 1
    assert all(due == sorted(due) for due in dues.values())
    both = [due for pair in zip(dues[1], dues[2], strict=True) for due in pair]
    assert both != sorted(both)


def test_a_link_that_is_cleared_lets_nothing_overtake_what_is_under_way():
    way = Way(0.0)
    way.impair(Impairment(delay_s=100 * MS))
    first = way.due(frame(), 0.0)
    way.waiting += 1
    way.impair(Impairment())
    assert way.due(frame(), 10 * MS) == first


def test_loss_is_the_share_that_was_asked_for():
    way = Way(0.0)
    way.impair(Impairment(loss=0.02))
    lost = sum(way.due(frame(), 0.0) is None for _ in range(20_000))
    assert 300 < lost < 500
    assert way.lost == lost


def test_a_full_link_loses_what_comes_next_and_not_what_is_under_way():
    way = Way(0.0)
    way.impair(Impairment(delay_s=1.0))
    way.waiting = MOST_WAITING
    assert way.due(frame(), 0.0) is None


def test_a_flow_is_addresses_protocol_and_ports_whatever_it_carries():
    assert flow_of(frame(1, 7)) == flow_of(frame(1, 8))
    assert flow_of(frame(1)) != flow_of(frame(2))
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    assert flow_of(arp) == arp[:14]


@pytest.fixture(scope="module")
def lossy(name):
    """A lab in which one link of ams is carried by the relay, and all others are direct."""
    topology = three_pops("bird", pop_programs="exabgp-healthcheck")
    with up(topology, name=f"{name}lossy", relayed=[LINK]) as running:
        yield running


def pinged(lab, node, address, count=40):
    """(share of pings lost, shortest and mean round trip in ms)."""
    argv = ["ping", f"-c{count}", "-i0.01", "-W1", "-q", address]
    shown = lab.exec(node, argv, check=False).stdout
    lost = float(re.search(r"([\d.]+)% packet loss", shown)[1]) / 100
    times = re.search(r"= ([\d.]+)/([\d.]+)/", shown)
    return lost, *(map(float, times.groups()) if times else (None, None))


@pytest.mark.lab
@pytest.mark.timeout(60)
def test_a_relayed_link_costs_next_to_nothing_until_it_is_impaired(lossy):
    assert lossy.delay == "relay"
    lost, least, _ = pinged(lossy, "ams", "10.3.1.1")
    assert lost == 0
    assert least < 0.6  # both ways; 0.3 ms each
    lossy.impair([LINK], Impairment(delay_s=20 * MS, jitter_s=20 * MS))
    lost, least, mean = pinged(lossy, "ams", "10.3.1.1")
    assert lost == 0
    assert 40 <= least < mean < 85
    lossy.impair([LINK], Impairment(delay_s=50 * MS), "out")
    lossy.impair([LINK], Impairment(), "in")
    assert 50 <= pinged(lossy, "ams", "10.3.1.1")[1] < 60
    lossy.impair([LINK], Impairment(loss=1.0))
    assert pinged(lossy, "ams", "10.3.1.1", 5)[0] == 1
    lossy.impair([LINK], Impairment())
    assert pinged(lossy, "ams", "10.3.1.1")[0] == 0


@pytest.mark.lab
@pytest.mark.timeout(60)
def test_a_direct_link_can_lose_packets_but_not_be_late(lossy):
    lossy.impair(["ams:eth2"], Impairment(loss=0.5))
    assert 0.5 < pinged(lossy, "ams", "10.4.1.1", 80)[0] < 0.95
    lossy.impair(["ams:eth2"], Impairment())
    assert pinged(lossy, "ams", "10.4.1.1")[0] == 0
    with pytest.raises(LabError, match="ams:eth2: not made for delay"):
        lossy.impair(["ams:eth2"], Impairment(jitter_s=MS))
    with pytest.raises(LabError, match="there are eth1, eth2"):
        lossy.impair(["ams:eth9"], Impairment())


@pytest.mark.lab
@pytest.mark.timeout(60)
def test_all_links_at_once_where_some_are_relayed(lossy):
    lossy.impair(["all"], Impairment(loss=1.0))
    assert pinged(lossy, "ams", "10.3.1.1", 3)[0] == 1
    assert pinged(lossy, "fra", "10.4.2.1", 3)[0] == 1
    lossy.impair(["all"], Impairment())
    assert pinged(lossy, "fra", "10.4.2.1", 3)[0] == 0


@pytest.mark.lab
@pytest.mark.timeout(60)
def test_one_silent_family_leaves_the_other_alone(lossy):
    lossy.silence("ams", "v4")
    assert pinged(lossy, "t3", "10.3.1.2", 3)[0] == 1
    assert pinged(lossy, "t3", "fd00:3:0:1::2", 3)[0] == 0
    lossy.silence("ams", "v6")
    assert pinged(lossy, "t3", "fd00:3:0:1::2", 3)[0] == 1
    lossy.unsilence("ams")
    lossy.link_silent("ams", "eth1", "v6")
    assert pinged(lossy, "t3", "10.3.1.2", 3)[0] == 0
    assert pinged(lossy, "t3", "fd00:3:0:1::2", 3)[0] == 1
    assert pinged(lossy, "t4", "fd00:4:0:1::2", 3)[0] == 0
    lossy.link_up("ams", "eth1")
    assert pinged(lossy, "t3", "fd00:3:0:1::2", 3)[0] == 0
