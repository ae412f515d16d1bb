"""ExaBGP's files: one session per uplink and family, and nothing that makes stopping no drain."""

import re

import pytest

from agents.bgp.configuration import Speaker, default_router_id, render


def speaker(pop, **changes):
    plain = {
        "pop": pop,
        "asn": 64500,
        "provider_asn": {"north": 64603, "south": 64604},
        "router_id": "10.3.1.2",
        "bridge": "/run/ambicast/exabgp.sock",
        "python": "/usr/bin/python3",
        "script": "/opt/ambicast/bridge.py",
        "hold": 9,
    }
    return Speaker(**plain | changes)


def neighbors(text):
    return dict(re.findall(r"^neighbor (\S+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))


def test_each_session_has_its_own_addresses_and_one_family(pop):
    found = neighbors(render(speaker(pop)).configuration)
    assert list(found) == ["10.3.1.1", "fd00:3:0:1::1", "10.4.1.1", "fd00:4:0:1::1"]
    for address, local, asn, family in (
        ("10.3.1.1", "10.3.1.2", 64603, "ipv4"),
        ("fd00:4:0:1::1", "fd00:4:0:1::2", 64604, "ipv6"),
    ):
        assert f"local-address {local};" in found[address]
        assert f"peer-as {asn};" in found[address]
        assert f"family {{ {family} unicast; }}" in found[address]


def test_no_neighbor_has_graceful_restart_and_none_is_listened_to(pop):
    text = render(speaker(pop)).configuration
    assert text.count("graceful-restart disable;") == 4
    assert "receive" not in text
    assert text.count("manual-eor false;") == 4


def test_with_graceful_restart_the_end_of_the_table_is_for_the_agent_to_say(pop):
    text = render(speaker(pop, graceful=30)).configuration
    assert text.count("graceful-restart 30;") == text.count("manual-eor true;") == 4


@pytest.mark.parametrize("seconds", [-1, 4096])
def test_a_restart_time_that_does_not_fit_its_12_bits_is_refused(pop, seconds):
    with pytest.raises(ValueError, match=f"graceful {seconds}: 0 to 4095"):
        render(speaker(pop, graceful=seconds))


def test_the_bridge_is_told_where_the_responder_listens(pop):
    text = render(speaker(pop, responder="/run/x/responder.sock")).configuration
    assert "bridge.py /run/ambicast/exabgp.sock /run/x/responder.sock;" in text


def test_braces_are_balanced_because_exabgp_does_not_mind_a_missing_one(pop):
    text = render(speaker(pop)).configuration
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    "changes", [{"hold": 1}, {"hold": -9}, {"hold": 70000}, {"hold": 2}], ids=str
)
def test_a_hold_time_that_no_neighbor_would_take_is_refused(pop, changes):
    with pytest.raises(ValueError, match="0 or 3 to 65535"):
        render(speaker(pop, **changes))


@pytest.mark.parametrize("path", ["run/exa.sock", "/run/a b.sock", "/run/x;y", "/run/{x}", ""])
@pytest.mark.parametrize("name", ["bridge", "python", "script"])
def test_a_path_that_would_break_the_file_is_refused_by_name(pop, name, path):
    with pytest.raises(ValueError, match=f"{name} .*absolute path"):
        render(speaker(pop, **{name: path}))


def test_two_uplinks_with_the_same_neighbor_are_refused(make_pop):
    with pytest.raises(ValueError, match=r"north and south share the neighbor 10\.3\.1\.1"):
        render(speaker(make_pop(("north", 3), ("south", 3))))


def test_the_router_id_is_the_first_v4_identity(pop, make_pop):
    assert default_router_id(pop) == "10.3.1.2"
    assert default_router_id(make_pop(("a", 3, ("v6",)), ("b", 4))) == "10.4.1.2"
    with pytest.raises(ValueError, match="give it a router id"):
        default_router_id(make_pop(("a", 3, ("v6",))))
