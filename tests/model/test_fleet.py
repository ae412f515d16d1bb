"""What the fleet derives from its parts: covers, addresses, homes."""

from __future__ import annotations

import pytest

from ambicast.files import load_fleet
from ambicast.model.identifiers import Family, Role
from tests.files import fleetfiles


@pytest.fixture
def fleet(tmp_path):
    return load_fleet(fleetfiles.write(tmp_path))


def test_a_pop_advertises_the_covers_it_does_not_stand_under(fleet):
    assert fleet.covers_at("ams") == ("198.18.128.0/17", "2001:db8:1800::/37")
    assert fleet.covers_at("osl") == ("198.18.0.0/17", "2001:db8:1000::/37")


def test_a_cover_over_every_pop_is_advertised_by_all_for_want_of_another(tmp_path):
    text, _ = fleetfiles.planted("[198.18.0.0/17", "[198.18.0.0/16")
    fleet = load_fleet(fleetfiles.write(tmp_path, text))
    assert "198.18.0.0/16" in fleet.covers_at("ams")
    assert "198.18.0.0/16" in fleet.covers_at("osl")


def test_every_service_address_of_every_pop_is_known(fleet):
    assert set(fleet.service_addresses()) == {
        "198.19.254.1",
        "2001:db8:a::1",
        "198.18.0.10",
        "2001:db8:1000::a",
        "198.18.128.10",
        "2001:db8:1800::a",
    }


@pytest.mark.parametrize(
    ("prefix", "home"),
    [
        ("198.18.0.0/22", "ams"),
        ("198.18.2.0/23", "ams"),
        ("2001:db8:1802::/47", "osl"),
        ("198.19.254.0/23", None),
        ("198.18.0.0/17", None),
    ],
)
def test_a_prefix_or_part_of_it_has_a_home_unless_it_is_shared(fleet, prefix, home):
    assert fleet.home_of(prefix) == home


def test_steered_is_all_that_is_advertised_in_its_normal_length(fleet):
    own = {prefix for pop in fleet.pops.values() for prefix in pop.prefixes}
    assert set(fleet.steered()) == own | set(fleet.covering) | set(fleet.anycast_prefixes())
    assert list(fleet.steered()) == sorted(fleet.steered())


def test_hosts_know_their_pop_and_role(fleet):
    assert [(pop.name, host) for pop, host in fleet.hosts()] == [
        ("ams", "ams-1"),
        ("osl", "osl-1"),
    ]
    assert fleet.pop_of("osl-1").name == "osl"
    assert fleet.bgp_hosts("ams") == ("ams-1",)
    assert fleet.pops["osl"].hosts_with(Role.DNS) == ()


def test_a_service_has_no_address_in_a_family_its_pop_lacks(tmp_path):
    text, _ = fleetfiles.planted('[198.18.128.0/22, "2001:db8:1800::/46"]', "[198.18.128.0/22]")
    fleet = load_fleet(fleetfiles.write(tmp_path, text))
    service = fleet.services["www"]
    assert service.address_at(fleet.pops["osl"], Family.V6) is None
    assert service.address_at(fleet.pops["osl"], Family.V4) == "198.18.128.10"
