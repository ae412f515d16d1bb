"""What a topology says, and that its containerlab file says the same."""

import ipaddress
import json
from itertools import groupby
from pathlib import Path

import jsonschema
import pytest
import yaml

from ambicast.files import load_fleet
from lab.topology import Options, clab_yaml, lab_of, pops, render, three_pops
from lab.topology.reading import UnreadableTopologyError, read

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "fixtures" / "clab.schema.json").read_text())
VARIANTS = {
    "bird": three_pops("bird"),
    "frr, delayed": three_pops("frr", delay="20ms", advertisement_interval_s=5),
    "mixed": three_pops("mixed"),
    "baseline": three_pops("bird", pop_programs="exabgp-healthcheck"),
    "ten PoPs": pops(10, Options(router="frr")),
    "thirty PoPs": pops(30, Options(router="bird")),
    "two hosts": lab_of("two-hosts", Options(router="mixed")),
}

every = pytest.mark.parametrize("topology", VARIANTS.values(), ids=VARIANTS)


@every
def test_containerlab_would_accept_the_file(topology):
    document = yaml.safe_load(clab_yaml(topology))
    faults = [fault.message for fault in jsonschema.Draft7Validator(SCHEMA).iter_errors(document)]
    assert faults == []


def test_the_schema_refuses_what_containerlab_does_not_know():
    document = yaml.safe_load(clab_yaml(VARIANTS["bird"]))
    document["topology"]["nodes"]["ams"]["role"] = "pop"
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(document))


def test_the_file_in_the_repository_is_what_the_generator_writes():
    kept = (ROOT / "lab" / "topologies" / "three-pops.clab.yml").read_text()
    assert kept == clab_yaml(three_pops("bird"))


@every
def test_no_address_is_given_twice_but_anycast_on_loopback(topology):
    given = [
        ipaddress.ip_interface(address.address).ip
        for node in topology.nodes
        for address in node.addresses
        if address.interface != "lo"
    ]
    assert len(given) == len(set(given))


@every
def test_both_ends_of_every_link_share_their_networks(topology):
    for link in topology.links:
        networks = [
            {
                ipaddress.ip_interface(address.address).network
                for address in topology.node(end.node).addresses
                if address.interface == end.interface
            }
            for end in (link.a, link.b)
        ]
        assert len(networks[0]) == 2
        assert networks[0] == networks[1]


@every
def test_every_interface_is_plugged_into_exactly_one_link(topology):
    ends = sorted((end.node, end.interface) for link in topology.links for end in (link.a, link.b))
    assert all(len(list(same)) == 1 for _, same in groupby(ends))
    named = sorted((node.name, each) for node in topology.nodes for each in node.uplinks)
    assert named == ends


@every
def test_each_pop_shares_each_uplink_network_with_another_pop(topology):
    own = {node.name for node in topology.nodes if node.name == "amsr"}
    behind = {
        node.name: {topology.far_end(node.name, each).node for each in node.uplinks}
        for node in topology.nodes
        if node.role == "pop" or node.name in own
    }
    behind = {
        name: {each for each in ends if each.startswith("t")}
        for name, ends in behind.items()
        if not own & ends
    }
    assert all(behind.values())
    for name, transits in behind.items():
        for transit in transits:
            assert any(transit in others for pop, others in behind.items() if pop != name)


def test_a_pop_with_two_hosts_has_a_router_that_shares_flows_over_them():
    topology = VARIANTS["two hosts"]
    router = topology.node("amsr")
    ends = {topology.far_end("amsr", each).node for each in router.uplinks}
    assert ends == {"t3", "t4", "ams", "ams2"}
    assert "merge paths on" in router.files["/etc/bird/bird.conf"]
    assert router.sysctls["net.ipv4.fib_multipath_hash_policy"] == "1"
    assert len(topology.node("t3").routes) == 4
    fleet = yaml.safe_load(topology.node("ams2").files["/etc/ambicast/fleet.yaml"])
    hosts = fleet["pops"]["ams"]["hosts"]
    assert set(hosts) == {"ams-1", "ams-2"}
    one = fleet["pops"]["ams"]["uplinks"]["edge"]["identity"]
    other = hosts["ams-2"]["uplinks"]["edge"]["identity"]
    assert not set(one.values()) & set(other.values())
    agent = yaml.safe_load(topology.node("ams2").files["/etc/ambicast/agent.yaml"])
    assert agent["host"] == "ams-2"
    assert "knot" not in agent


def test_three_pops_has_the_addresses_that_the_documents_promise():
    addresses = {
        node.name: {f"{a.interface} {a.address}" for a in node.addresses}
        for node in VARIANTS["bird"].nodes
    }
    assert {"eth1 10.3.1.2/30", "eth2 10.4.1.2/30"} <= addresses["ams"]
    assert {"eth1 fd00:3:0:1::2/64", "eth2 fd00:4:0:1::2/64"} <= addresses["ams"]
    assert {"eth1 10.4.2.2/30", "eth2 10.5.2.2/30"} <= addresses["fra"]
    assert {"eth1 10.5.3.2/30", "eth2 10.3.3.2/30"} <= addresses["lhr"]
    assert addresses["c3"] == {"eth1 198.19.3.10/24", "eth1 2001:db8:c03::10/64"}
    assert addresses["ctl1"] == {"eth1 10.1.9.2/30", "eth1 fd00:1:0:9::2/64"}


@pytest.mark.parametrize(("count", "interval"), [(3, 0.1), (12, 0.1), (13, 0.26), (30, 0.6)])
def test_more_pops_than_two_cores_bear_watch_less_often(tmp_path, count, interval):
    files = pops(count, Options()).node("ctl1").files
    for name in ("fleet.yaml", "clients.csv"):
        (tmp_path / name).write_text(files[f"/etc/ambicast/{name}"])
    fleet = load_fleet(tmp_path / "fleet.yaml")
    assert fleet.timing.watch_interval == interval
    assert fleet.services["www"].checks[0].interval == interval
    slower = pops(count, Options(fleet_overrides={"watch_interval": "1s"}))
    assert "watch_interval: 1s" in slower.node("ctl1").files["/etc/ambicast/fleet.yaml"]


def test_a_rendered_topology_reads_back_with_every_file_it_binds(tmp_path):
    topology = three_pops("mixed", delay="5ms")
    clab = read(render(topology, tmp_path))
    assert set(clab.topology.nodes) == {node.name for node in topology.nodes}
    for node in clab.topology.nodes.values():
        for bind in node.binds:
            assert (tmp_path / bind.partition(":")[0]).exists()
    delayed = [link for link in clab.topology.links if link.vars]
    assert {link.vars["delay"] for link in delayed} == {"5ms"}
    assert len(delayed) == 6 + 7 + 1  # uplinks, between transits, ctl1's; clients are near


def test_a_word_that_the_namespace_runner_does_not_honour_is_refused(tmp_path):
    path = render(three_pops("bird"), tmp_path)
    path.write_text(path.read_text().replace("kind: linux", "kind: linux\n      cpu: 1", 1))
    with pytest.raises(UnreadableTopologyError, match="cpu"):
        read(path)


@pytest.mark.parametrize("count", [2, 61])
def test_a_number_of_pops_without_addresses_is_refused_with_the_range(count):
    with pytest.raises(ValueError, match="3 to 60"):
        pops(count, Options())


def test_an_unknown_node_is_refused_with_those_that_exist():
    with pytest.raises(KeyError, match=r"no node 'cdg'.* there are ams, fra"):
        VARIANTS["bird"].node("cdg")
