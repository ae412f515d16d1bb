"""The files inside the nodes: an operator's formats, so an operator's loaders must take them."""

import pytest
import yaml

from agents.config import load as load_agent
from ambicast.files import load_fleet
from ambicast.model.identifiers import Family
from controller.config import load_settings
from lab.nodes.programs import AGENT_FILE, CONTROLLER_FILE
from lab.topology import Options, pops, three_pops
from lab.topology.internet import ANYCAST_ADDRESS
from lab.topology.places import THREE_POPS, many_pops


def load(topology, directory):
    files = topology.node("ctl1").files
    (directory / "clients.csv").write_text(files["/etc/ambicast/clients.csv"])
    path = directory / "fleet.yaml"
    path.write_text(files["/etc/ambicast/fleet.yaml"])
    return load_fleet(path)


def installed(node, path, directory):
    """A settings file of a node whose other files lie in `directory` instead of /etc/ambicast."""
    for name, content in node.files.items():
        (directory / name.rpartition("/")[2]).write_text(content)
    return node.files[path].replace("/etc/ambicast", str(directory))


@pytest.mark.parametrize("count", [3, 10])
def test_the_fleet_file_is_valid_and_means_what_the_lab_builds(count, tmp_path):
    fleet = load(pops(count, Options()), tmp_path)
    internet = THREE_POPS if count == 3 else many_pops(count)
    assert set(fleet.pops) == {pop.name for pop in internet.pops}
    for pop in internet.pops:
        assert set(fleet.pops[pop.name].prefixes) == set(pop.home.values())
        assert set(fleet.covers_at(pop.name)) == set(pop.covers.values())
        for family in ("v4", "v6"):
            address = fleet.services["www"].address_at(fleet.pops[pop.name], Family(family))
            assert address == pop.service_address[family]
    assert set(fleet.services["www"].anycast.addresses.values()) == set(ANYCAST_ADDRESS.values())


def test_overrides_go_over_the_timing(tmp_path):
    fleet = load(three_pops("bird", fleet_overrides={"ttl": "7s", "quorum": 1}), tmp_path)
    assert (fleet.timing.ttl, fleet.timing.quorum, fleet.timing.tail) == (7.0, 1, 5.0)


def test_nameservers_run_where_the_fleet_file_says_so(tmp_path):
    topology = three_pops("bird")
    fleet = load(topology, tmp_path)
    running = {
        node.name
        for node in topology.of_role("pop")
        if any(program.name == "nameserver" for program in node.programs)
    }
    assert running == {nameserver.pop for nameserver in fleet.nameservers.values()}
    forwarded = topology.node("c1").files["/etc/unbound/unbound.conf"]
    for nameserver in fleet.nameservers.values():
        for address in nameserver.addresses:
            assert f"forward-addr: {address}\n" in forwarded


@pytest.mark.parametrize("pop", ["ams", "fra", "lhr"])
def test_the_agent_takes_its_settings(pop, tmp_path):
    path = tmp_path / "agent.yaml"
    path.write_text(installed(three_pops("bird", hold_s=30).node(pop), AGENT_FILE, tmp_path))
    assert load_agent(path).pop.name == pop


@pytest.mark.parametrize("techniques", [None, ["halves", "same-length"]])
def test_the_controller_takes_its_settings(techniques, tmp_path):
    path = tmp_path / "controller.yaml"
    node = three_pops("bird", techniques=techniques).node("ctl1")
    path.write_text(installed(node, CONTROLLER_FILE, tmp_path))
    load_settings(path)


def test_techniques_are_named_only_where_they_are_restricted():
    restricted = three_pops("bird", techniques=["dns"]).node("ctl1").files[CONTROLLER_FILE]
    assert yaml.safe_load(restricted)["techniques"] == ["dns"]
    free = three_pops("bird").node("ctl1").files[CONTROLLER_FILE]
    assert "techniques" not in yaml.safe_load(free)


def test_the_agent_may_advertise_its_prefixes_and_no_client_or_provider_space():
    settings = yaml.safe_load(three_pops("bird").node("ams").files[AGENT_FILE])
    assert {entry["prefix"]: entry["longest"] for entry in settings["allow"]} == {
        "198.18.0.0/15": 24,
        "2001:db8:1000::/36": 48,
        "2001:db8:a::/47": 48,
    }
    assert "knot" in settings
    assert "knot" not in yaml.safe_load(three_pops("bird").node("lhr").files[AGENT_FILE])


def test_the_baseline_has_no_agent_and_withdraws_what_it_watches():
    node = three_pops("bird", pop_programs="exabgp-healthcheck").node("ams")
    assert [program.name for program in node.programs] == ["service", "exabgp"]
    config = node.files["/etc/exabgp/exabgp.conf"]
    for prefix in ("198.18.0.0/22", "198.19.254.0/23", "2001:db8:1000::/46", "2001:db8:a::/47"):
        assert f"--ip {prefix}" in config
    assert "--withdraw-on-down" in config
    assert config.count("route 198.18.128.0/17 next-hop self;") == 2  # both IPv4 sessions
    assert "route 198.18.0.0/17" not in config  # never the cover over its own home
