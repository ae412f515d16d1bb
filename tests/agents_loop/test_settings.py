"""``agent.yaml``: read whole, or refused with one line per fault."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agents.advertising.allowance import Allowance
from agents.config import ConfigError, load

FLEET = Path(__file__).parents[2] / "configs" / "fleet.yaml"


@pytest.fixture
def settings(tmp_path):
    """The settings as a dict, and a function that loads them from a file."""
    return {
        "fleet": str(FLEET),
        "pop": "ams",
        "host": "ams-1",
        "broker": {"host": "10.1.9.2", "port": 1883},
        "watch_key_file": "/etc/ambicast/watch.key",
        "state_dir": "/var/lib/ambicast",
        "exabgp": {"bridge": "/run/ambicast/exabgp.sock", "hold": "9s", "router_id": "10.3.1.2"},
        "knot": {"socket": "/run/knot/knot.sock", "directory": "/var/lib/ambicast/knot"},
        "allow": [{"prefix": "198.18.0.0/15", "longest": 24}],
    }


def read(settings, folder):
    file = folder / "agent.yaml"
    file.write_text(settings if isinstance(settings, str) else yaml.safe_dump(settings))
    return load(file)


def fault(settings, folder):
    with pytest.raises(ConfigError) as caught:
        read(settings, folder)
    return str(caught.value)


def test_the_example_of_the_interfaces_is_read(settings, tmp_path):
    found = read(settings, tmp_path)
    assert (found.pop.name, found.host, found.nameserver) == ("ams", "ams-1", "ams")
    assert found.exabgp.hold_seconds == 9
    assert found.allow == (Allowance("198.18.0.0/15", 24),)
    assert found.broker.password() is None


def test_a_password_comes_from_a_file(settings, tmp_path):
    (tmp_path / "password").write_text("secret\n")
    settings["broker"] |= {"username": "ams-1", "password_file": str(tmp_path / "password")}
    assert read(settings, tmp_path).broker.password() == "secret"


def test_a_certificate_without_its_key_is_refused_by_name(settings, tmp_path):
    settings["broker"]["tls"] = {"ca": "/ca.pem", "cert": "/cert.pem"}
    assert "broker.tls: cert and key are allowed together" in fault(settings, tmp_path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"colour": "red"}, "colour: unknown; allowed are fleet, pop, host, broker"),
        ({"broker": {"hots": "x"}}, "broker.hots: unknown; allowed are host, port"),
        ({"allow": [{"prefix": "198.18.0.0/15", "max": 24}]}, "allow[0].max: unknown"),
        ({"broker": {"host": 5}}, "broker.host: Expected `str`, got `int`"),
        ({"broker": {"host": "x", "port": 0}}, "broker.port: 0; 1 to 65535 are allowed"),
        ({"allow": []}, "allow: empty; a host with role bgp lists what it may advertise"),
        ({"state_dir": "var"}, "state_dir: 'var'; an absolute path is allowed"),
        ({"exabgp": {"hold": "9"}}, "exabgp.hold: '9' is not a duration"),
        ({"exabgp": {"hold": "2s"}}, "exabgp.hold: 2s; whole seconds from 3s"),
        (
            {"exabgp": {"graceful_restart": "0s"}},
            "exabgp.graceful_restart: 0s; whole seconds from 1s",
        ),
        (
            {"exabgp": {"graceful_restart": "2h"}},
            "exabgp.graceful_restart: 2h; whole seconds from 1s",
        ),
        ({"exabgp": {"router_id": "::1"}}, "exabgp.router_id: '::1'; an IPv4 address"),
        ({"allow": [{"prefix": "198.18.0.1/15", "longest": 24}]}, "allow[0].prefix: '198.18.0.1"),
        ({"allow": [{"prefix": "198.18.0.0/15", "longest": 8}]}, "allow[0].longest: 8; 15 to 32"),
        ({"pop": "xyz"}, "pop: 'xyz' is not in"),
        ({"host": "fra-1"}, "host: 'fra-1' is no host of ams; it has ams-1"),
        ({"watch_key_file": None}, "watch_key_file: missing; a host with role bgp needs one"),
        ({"fleet": "/nowhere/fleet.yaml"}, "/nowhere/fleet.yaml"),
    ],
)
def test_a_fault_names_the_place_and_what_is_allowed(settings, tmp_path, change, text):
    assert text in fault(settings | change, tmp_path)


def test_a_missing_setting_is_named(settings, tmp_path):
    del settings["broker"]
    assert "missing required field `broker`" in fault(settings, tmp_path)


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "\0"])
def test_a_file_that_is_no_mapping_is_refused_with_its_name(text, tmp_path):
    assert fault(text, tmp_path).startswith(str(tmp_path / "agent.yaml"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yaml")


def test_all_unknown_keys_are_named_at_once(settings, tmp_path):
    text = fault(settings | {"one": 1, "two": 2}, tmp_path)
    assert len(text.splitlines()) == 2
