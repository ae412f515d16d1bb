"""What the `broker` part of the settings may hold; `tests/agents_loop` has the agent's rest."""

from pathlib import Path

import pytest

from ambicast.broker.settings import Broker, Tls
from controller.config import ConfigError, load_settings

CONTROLLER = "fleet: fleet.yaml\njournal: journal\nbroker: {host: 192.0.2.1, "


def controller(folder, broker):
    file = folder / "controller.yaml"
    file.write_text(CONTROLLER + broker + "}\n")
    return load_settings(file)


def test_a_password_is_read_anew_each_time(tmp_path):
    secret = tmp_path / "secret"
    broker = Broker("192.0.2.1", password_file=secret)
    for word in ("one", "two"):
        secret.write_text(f"{word}\n")
        assert broker.password() == word
    assert Broker("192.0.2.1").password() is None


def test_the_controllers_paths_are_beside_its_settings(tmp_path):
    found = controller(tmp_path, "password_file: word, tls: {ca: a.pem, cert: /c.pem, key: k.pem}")
    assert found.broker.password_file == tmp_path / "word"
    assert found.broker.tls == Tls(tmp_path / "a.pem", Path("/c.pem"), tmp_path / "k.pem")


@pytest.mark.parametrize("half", ["cert", "key"])
def test_a_certificate_without_its_key_is_refused_by_name(tmp_path, half):
    with pytest.raises(ConfigError, match=r"controller\.yaml: broker\.tls: cert and key"):
        controller(tmp_path, f"tls: {{ca: ca.pem, {half}: x.pem}}")
    pair = Tls(Path("/ca.pem"), **{half: Path("/x.pem")})
    assert "broker.tls: cert and key" in str(Broker("192.0.2.1", tls=pair).fault())
    assert Broker("192.0.2.1", tls=Tls(Path("/ca.pem"))).fault() is None


@pytest.mark.parametrize("wrong", ["ca: 7", "ca: []"])
def test_what_is_no_path_is_refused(tmp_path, wrong):
    with pytest.raises(ConfigError, match="a path is allowed"):
        controller(tmp_path, f"tls: {{{wrong}}}")
