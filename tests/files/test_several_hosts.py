"""A PoP with several hosts: each reaches the uplinks in its own way, and is probed at its own."""

from __future__ import annotations

import pytest

from ambicast.files import Severity, load_fleet, validate
from ambicast.model.identifiers import Family
from tests.files import fleetfiles

ONE = "    hosts: {ams-1: {roles: [bgp, dns]}}"
OWN = """\
      ams-2:
        roles: [bgp]
        uplinks:
          one: {interface: eth7, identity: {v4: 10.0.1.6, v6: "fd00:0:1::6"}}
          two: {neighbor: {v4: 10.0.2.5}, identity: {v4: 10.0.2.6}}
"""
TWO = "    hosts:\n      ams-1: {roles: [bgp, dns]}\n" + OWN


def _with(tmp_path, hosts):
    assert ONE in fleetfiles.BASE
    return fleetfiles.write(tmp_path, fleetfiles.BASE.replace(ONE, hosts.rstrip("\n")))


def test_each_host_has_its_own_identity_and_the_rest_from_the_uplink(tmp_path):
    pop = load_fleet(_with(tmp_path, TWO)).pops["ams"]
    first, second = pop.at("ams-1").uplinks, pop.at("ams-2").uplinks
    assert first["one"].identity[Family.V4] == "10.0.1.2"
    assert first["one"].interface == "eth1"
    assert second["one"].identity == {Family.V4: "10.0.1.6", Family.V6: "fd00:0:1::6"}
    assert second["one"].interface == "eth7"
    assert second["one"].neighbor == first["one"].neighbor
    assert second["two"].interface == "eth2"
    assert second["two"].neighbor == {Family.V4: "10.0.2.5"}
    assert second["two"].capacity == first["two"].capacity


def test_a_nameserver_answers_at_its_own_hosts_identities(tmp_path):
    text = TWO.replace("ams-1: {roles: [bgp, dns]}", "ams-1: {roles: [bgp]}")
    text = text.replace("roles: [bgp]\n", "roles: [bgp, dns]\n")
    file = _with(tmp_path, text)
    file.write_text(file.read_text().replace("ams: {host: ams-1}", "ams: {host: ams-2}"))
    addresses = load_fleet(file).nameservers["ams"].addresses
    assert set(addresses) == {"10.0.1.6", "fd00:0:1::6", "10.0.2.6"}


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        (
            "          two: {neighbor: {v4: 10.0.2.5}, identity: {v4: 10.0.2.6}}\n",
            "",
            "pops.ams.hosts",
            "ams-2 and ams-1 with one identity address at two",
        ),
        (
            "two: {neighbor",
            "tow: {neighbor",
            "pops.ams.hosts.ams-2.uplinks",
            "the unknown uplink 'tow'; allowed one of one, two",
        ),
        (
            "v4: 10.0.1.6",
            "v4: 10.0.1.2",
            "pops.ams.hosts.ams-2.uplinks.one.identity.v4",
            "10.0.1.2 again",
        ),
        (
            "v4: 10.0.1.6",
            "v4: 198.18.0.77",
            "pops.ams.hosts.ams-2.uplinks.one.identity.v4",
            "inside the steered prefix",
        ),
        (
            "identity: {v4: 10.0.2.6}",
            'identity: {v6: "fd00::9"}',
            "pops.ams.hosts.ams-2.uplinks.two",
            "here only",
        ),
    ],
)
def test_what_hosts_must_not_share_is_named(tmp_path, old, new, path, says):
    assert old in TWO
    faults = [
        each
        for each in validate(_with(tmp_path, TWO.replace(old, new)))
        if each.severity is Severity.ERROR and each.path.startswith(path) and says in str(each)
    ]
    assert faults, [str(each) for each in validate(_with(tmp_path, TWO.replace(old, new)))]


def test_an_uplink_without_room_for_a_takeover_is_a_warning(tmp_path):
    text = fleetfiles.BASE.replace("max_prefixes: 50", "max_prefixes: 7")
    (fault,) = [
        each
        for each in validate(fleetfiles.write(tmp_path, text))
        if each.path == "pops.osl.uplinks.one.max_prefixes"
    ]
    assert fault.severity is Severity.WARNING
    assert "7 where a takeover makes 10 v" in str(fault)
