"""The examples in configs/ are loaded by the programs they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.advertising.allowance import permitted
from agents.config import load as load_agent
from ambicast.files import load_fleet, validate
from ambicast.files.clients import groups_of, read_rows
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import address, contains, family, network, split
from controller.config import load_settings

CONFIGS = Path(__file__).parents[2] / "configs"
FLEET = load_fleet(CONFIGS / "fleet.yaml")
# RFC 2544, RFC 3849: for benchmarks and documentation
EXAMPLE_SPACE = ("198.18.0.0/15", "2001:db8::/32")


@pytest.fixture
def agent(tmp_path):
    """The agent's example, with the fleet file where the repository has it."""
    text = (CONFIGS / "agent.yaml").read_text()
    path = tmp_path / "agent.yaml"
    path.write_text(text.replace("/etc/ambicast/fleet.yaml", str(CONFIGS / "fleet.yaml")))
    return load_agent(path)


def test_the_fleet_has_neither_fault_nor_warning():
    assert validate(CONFIGS / "fleet.yaml") == ()


def test_eight_pops_or_more_with_two_uplinks_each_and_every_provider_shared():
    assert len(FLEET.pops) >= 8
    for pop in FLEET.pops.values():
        providers = {uplink.provider for uplink in pop.uplinks.values()}
        others = {
            uplink.provider
            for other in FLEET.pops.values()
            if other is not pop
            for uplink in other.uplinks.values()
        }
        assert len(providers) == 2
        assert providers <= others


def test_each_pop_lies_under_one_of_two_covers_and_advertises_the_other():
    for pop in FLEET.pops.values():
        sent = FLEET.covers_at(pop.name)
        assert {family(cover) for cover in sent} == set(Family)
        assert not any(contains(cover, mine) for cover in sent for mine in pop.prefixes)


def test_the_whole_ladder_of_halves_and_quarters_can_be_advertised():
    for pop in FLEET.pops.values():
        assert all(split(prefix, 2) for prefix in pop.prefixes)


def test_addresses_are_for_examples_only():
    prefixes = [prefix for group in FLEET.clients.values() for prefix in group.prefixes]
    for prefix in (*prefixes, *FLEET.steered()):
        assert any(contains(space, prefix) for space in EXAMPLE_SPACE), prefix
    for pop in FLEET.pops.values():
        for uplink in pop.uplinks.values():
            assert all(address(text).is_private for text in uplink.identity.values())


def test_client_groups_stand_outside_every_steered_prefix():
    for group in FLEET.clients.values():
        for prefix in group.prefixes:
            assert not any(network(prefix).overlaps(network(s)) for s in _same(prefix))


def _same(prefix):
    return [steered for steered in FLEET.steered() if family(steered) is family(prefix)]


def test_the_clients_file_alone_has_no_fault_and_both_families_per_group():
    rows, faults = read_rows("clients.csv", (CONFIGS / "clients.csv").read_text())
    groups, between = groups_of(rows)
    assert (faults, between) == ((), ())
    assert len(groups) >= 40
    assert all({family(p) for p in group.prefixes} == set(Family) for group in groups.values())


def test_any_one_pop_may_be_lost_without_filling_the_others():
    demand = sum(group.demand for group in FLEET.clients.values())
    room = sum(pop.capacity for pop in FLEET.pops.values()) * FLEET.limits.landing_load
    assert demand < room - max(pop.capacity for pop in FLEET.pops.values())


def test_the_agent_stands_in_the_fleet_and_may_advertise_all_it_could_be_asked_to(agent):
    assert (agent.pop.name, agent.host, agent.nameserver) == ("ams", "ams-1", "ams")
    for prefix in FLEET.steered():
        assert permitted(agent.allow, prefix), prefix
        assert all(permitted(agent.allow, part) for part in split(prefix, 1))
    assert not permitted(agent.allow, "192.0.2.0/24")
    assert not permitted(agent.allow, FLEET.clients["nl"].prefixes[0])


def test_broker_and_nameservers_are_reached_outside_every_steered_prefix(agent):
    reached = [agent.broker.host]
    reached += [text for each in FLEET.nameservers.values() for text in each.addresses]
    for text in reached:
        assert not any(contains(prefix, text) for prefix in FLEET.steered())


def test_the_controller_reads_the_same_fleet():
    settings = load_settings(CONFIGS / "controller.yaml")
    assert load_fleet(Path(settings.fleet)) == FLEET
    assert settings.journal == "/var/lib/ambicast-controller/journal.sqlite"
    assert settings.api.host == "127.0.0.1"
    assert len(settings.techniques) == 3


def test_those_whose_coordinates_we_use_are_named():
    page = (CONFIGS / "ATTRIBUTION.md").read_text()
    for holder in ("Mike Borsetti", "mwgg", "LufsX", "Permission is hereby granted"):
        assert holder in page
