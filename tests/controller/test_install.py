"""``ambicast install`` and ``uninstall``: what they write and refuse, and that twice is once."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from agents.advertising.allowance import Allowance, permitted
from agents.config import load
from ambicast.files import load_fleet
from ambicast.model.prefixes import split
from controller.cli import __main__ as program
from controller.cli.installing import changes, commands, credentials, plans, units
from controller.cli.installing.allowlist import allowances
from controller.cli.installing.system import LIVE
from controller.config import load_settings

FLEET = Path(__file__).parents[2] / "configs" / "fleet.yaml"
PROGRAMS = Path("/opt/ambicast/.venv/bin")
AGENT = "etc/ambicast/agent.yaml"
UNITS = ["responder", "exabgp", "nameserver", "agent"]


@pytest.fixture
def ran(monkeypatch):
    """Commands are noted down, not run."""
    noted = []
    real = commands.carry_out
    monkeypatch.setattr(
        commands, "carry_out", lambda root, change, run: real(root, change, noted.append)
    )
    return noted


@pytest.fixture
def ambicast(monkeypatch, capsys, ran):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["ambicast", *map(str, words)])
        code = 0
        try:
            program.main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def image(tmp_path):
    root = tmp_path / "image"
    root.mkdir()
    return root


@pytest.fixture
def install(ambicast, image):
    def run(*words):
        options = ("--fleet", FLEET, "--root", image, "--programs", PROGRAMS)
        return ambicast("install", "agent", "--pop", "ams", *options, *words)

    return run


def written(image):
    return {
        str(path.relative_to(image)): path.read_bytes()
        for path in image.rglob("*")
        if path.is_file()
    }


def test_a_dry_run_shows_every_file_and_command_and_changes_nothing(install, image, ran):
    code, out, _ = install("--dry-run", "--broker", "10.200.0.10")
    assert (code, written(image), ran) == (0, {}, [])
    for name in ("fleet.yaml", "clients.csv", "agent.yaml", "watch.key"):
        assert f"+++ /etc/ambicast/{name}" in out
    for name in UNITS:
        assert f"+++ /etc/systemd/system/ambicast-{name}.service" in out
        assert f"would run: systemctl --root={image} enable ambicast-{name}.service" in out
    assert "a secret: not shown" in out


def test_a_second_time_writes_nothing_and_keeps_the_key(install, image):
    assert install()[0] == 0
    before = written(image)
    code, out, _ = install()
    assert (code, written(image)) == (0, before)
    assert "wrote" not in out


def test_what_is_written_is_what_the_agent_reads(install, image):
    install("--broker", "[fd00::1]:8883")
    path = image / AGENT
    path.write_text(path.read_text().replace("/etc/", f"{image}/etc/"))
    found = load(path)
    assert (found.pop.name, found.host, found.nameserver) == ("ams", "ams-1", "ams")
    assert (found.broker.host, found.broker.port) == ("fd00::1", 8883)
    assert (image / "etc/ambicast/watch.key").stat().st_mode & 0o777 == 0o600


def test_units_name_the_programs_of_this_installation(install, image):
    install("--programs", "/srv/ambicast/bin")
    for name in UNITS:
        text = (image / f"etc/systemd/system/ambicast-{name}.service").read_text()
        assert "ExecStart=/srv/ambicast/bin/ambicast-agent" in text
        assert "/opt/" not in text


def test_programs_that_the_units_could_not_see_are_refused(install, image):
    code, _, err = install("--programs", "/home/me/.venv/bin")
    assert (code, written(image)) == (2, {})
    assert "units cannot see /home/" in err


def test_an_interpreter_that_the_units_could_not_see_or_enter_is_named(tmp_path, monkeypatch):
    """An environment in /opt whose Python lies in somebody's home."""
    monkeypatch.setattr(units, "HIDDEN", ("/home/",))
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    assert "not there" in units.hindrance(tmp_path / "bin")
    python.symlink_to("/home/me/python3")
    monkeypatch.setattr(Path, "exists", lambda self: True)
    assert units.hindrance(tmp_path / "bin").startswith("/home/me/python3, which")
    python.unlink()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "python3").touch()
    python.symlink_to(closed / "python3")
    assert "everybody must be able to enter it" in units.hindrance(tmp_path / "bin")
    python.unlink()
    python.symlink_to("/usr/bin/env")
    assert units.hindrance(tmp_path / "bin") is None


def test_on_a_live_host_bgp_and_the_responder_start_before_the_agent(image):
    change = plans.install_agent(LIVE, "ams", None, FLEET, None, PROGRAMS)
    started = [str(each) for each in change.after if "enable" in each.argv]
    assert started == [f"systemctl enable --now ambicast-{name}.service" for name in UNITS]


def test_settings_that_somebody_changed_stay(install, image):
    install("--broker", "10.200.0.10:8883")
    path = image / AGENT
    settings = yaml.safe_load(path.read_text())
    settings["exabgp"]["hold"] = "30s"
    settings["broker"]["username"] = "ams-1"
    path.write_text(f"# mine\n{yaml.safe_dump(settings)}")
    code, out, _ = install()
    assert code == 0
    assert "wrote" not in out
    assert path.read_text().startswith("# mine")
    install("--broker", "10.200.0.11")
    changed = yaml.safe_load(path.read_text())
    assert changed["exabgp"]["hold"] == "30s"
    assert changed["broker"] == {"host": "10.200.0.11", "port": 1883, "username": "ams-1"}


def test_a_password_and_an_authority_that_lie_there_already_are_used(install, image):
    (image / "etc/ambicast").mkdir(parents=True)
    (image / "etc/ambicast/broker.password").write_text("secret")
    (image / "etc/ambicast/broker-ca.pem").write_text("a certificate")
    install("--broker", "broker.example.net")
    assert yaml.safe_load((image / AGENT).read_text())["broker"] == {
        "host": "broker.example.net",
        "port": 8883,
        "username": "ams-1",
        "password_file": "/etc/ambicast/broker.password",
        "tls": {"ca": "/etc/ambicast/broker-ca.pem"},
    }


def test_what_changed_on_a_live_host_restarts_the_agent_alone(image, monkeypatch):
    monkeypatch.setattr(plans, "text_at", lambda root, path: "there, and other")
    monkeypatch.setattr(plans, "pending", lambda root, files: files)
    monkeypatch.setattr(plans.settings, "existing", lambda root, path: {})
    change = plans.install_agent(LIVE, "ams", None, FLEET, None, PROGRAMS)
    again = [str(each) for each in change.after if "try" in str(each)]
    assert again == [
        "systemctl try-reload-or-restart ambicast-responder.service",
        "systemctl try-restart ambicast-agent.service",
    ]
    waiting = [each.partition(" ")[0] for each in change.notes if "drain" in each]
    assert waiting == ["ambicast-exabgp.service", "ambicast-nameserver.service"]


def test_another_host_is_not_installed_over_this_one(install, image):
    install()
    before = written(image)
    code, _, err = install("--pop", "fra")
    assert (code, written(image)) == (2, before)
    assert "this is ams-1 of ams; uninstall that first" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pop", "xyz"), "--pop xyz: the fleet has ams, fra"),
        (("--host", "fra-1"), "--host fra-1: ams has ams-1"),
        (("--broker", "a:b"), "HOST:PORT"),
        (("--fleet", "/nowhere/fleet.yaml"), "/nowhere/fleet.yaml"),
    ],
)
def test_what_does_not_fit_is_one_line_and_2(install, image, words, said):
    code, _, err = install(*words)
    assert (code, written(image)) == (2, {})
    assert said in err


def test_without_a_systemd_that_runs_a_live_installation_is_refused(
    ambicast, monkeypatch, tmp_path, ran
):
    monkeypatch.setattr(commands, "SYSTEMD", tmp_path / "none")
    monkeypatch.setattr(units, "hindrance", lambda folder: None)
    code, _, err = ambicast(
        "install", "agent", "--pop", "ams", "--fleet", FLEET, "--programs", PROGRAMS
    )
    assert (code, ran) == (2, [])
    assert "systemd does not run here" in err


def test_the_allow_list_has_every_rung_of_every_pop_and_no_cover_over_the_own_prefixes():
    fleet = load_fleet(FLEET)
    for name, pop in fleet.pops.items():
        allow = [Allowance(**each) for each in allowances(fleet, name)]
        for other in fleet.pops.values():
            for prefix in (*other.prefixes, *fleet.anycast_prefixes()):
                for depth in range(3):
                    assert all(permitted(allow, part) for part in split(prefix, depth))
        for cover in fleet.covering:
            assert permitted(allow, cover) == (cover in fleet.covers_at(pop.name))
        assert not permitted(allow, "198.51.100.0/24")
        assert not permitted(allow, "0.0.0.0/0")


def test_the_controllers_settings_are_read_by_the_controller(ambicast, image):
    options = ("--fleet", FLEET, "--root", image, "--programs", PROGRAMS)
    assert ambicast("install", "controller", *options)[0] == 0
    assert load_settings(image / "etc/ambicast/controller.yaml").broker.host == "127.0.0.1"
    before = written(image)
    assert ambicast("install", "controller", *options)[0] == 0
    assert written(image) == before
    assert ambicast("uninstall", "controller", "--root", image)[0] == 0
    assert "etc/systemd/system/ambicast-controller.service" not in written(image)


def test_uninstalling_takes_away_what_was_written_and_purging_the_rest(install, ambicast, image):
    install()
    options = ("--root", image, "--programs", PROGRAMS)
    ambicast("uninstall", "agent", *options)
    assert {name.split("/")[1] for name in written(image)} == {"ambicast"}
    install()
    shown = ambicast("uninstall", "agent", *options, "--purge", "--dry-run")[1]
    assert (image / "etc/ambicast/watch.key").read_text().strip() not in shown
    ambicast("uninstall", "agent", *options, "--purge")
    assert set(written(image)) == {"etc/ambicast/clients.csv"}


def test_uninstalling_withdraws_before_it_stops_anything_and_the_agent_stops_first(
    image, monkeypatch
):
    everything = plans.EVERY_UNIT
    monkeypatch.setattr(plans, "text_at", lambda root, path: "there")
    change = plans.uninstall_agent(LIVE, PROGRAMS, 5.0, purge=False)
    words = [str(each) for each in change.before]
    assert words[0].startswith(f"{PROGRAMS}/ambicast-agent withdraw --reason")
    assert words[1] == "sleep 5"
    assert words[2:] == [f"systemctl disable --now {name}" for name in reversed(everything)]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"pop": "ams", "wire": [{"prefix": "198.18.0.0/22", "uplink": "n"}]}, "1 prefixes"),
        ({"wire": None}, "nobody can tell"),
        ("nonsense", "nobody can tell"),
        ({"wire": []}, None),
    ],
)
def test_a_host_that_is_not_drained_is_not_uninstalled(tmp_path, status, said):
    script = tmp_path / "ambicast-agent"
    text = status if isinstance(status, str) else json.dumps(status)
    script.write_text(f"#!/bin/sh\necho '{text}'\nexit 1\n")
    script.chmod(0o755)
    if said is None:
        commands.refuse_undrained(tmp_path)
        return
    with pytest.raises(commands.AskingError, match=said) as refused:
        commands.refuse_undrained(tmp_path)
    assert refused.value.code == 1


@pytest.mark.skipif(shutil.which("systemctl") is None, reason="no systemd here")
def test_on_an_image_the_real_tools_enable_units_and_give_the_key_to_its_user(image):
    change = plans.install_agent(image, "ams", None, FLEET, None, PROGRAMS)
    list(changes.carry_out(image, change, changes.really))
    wanted = image / "etc/systemd/system/multi-user.target.wants"
    assert {each.name for each in wanted.iterdir()} == {f"ambicast-{n}.service" for n in UNITS}
    user = (image / "etc/passwd").read_text()
    assert user.startswith("ambicast:")
    key = (image / "etc/ambicast/watch.key").stat()
    assert str(key.st_uid) == user.split(":")[2]


def secret_at(image, path):
    file = image / path.removeprefix("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("0" * 64)
    return file


@pytest.fixture
def elsewhere(install, image):
    """A host whose settings name a key and a password at places of somebody's choice."""
    install()
    (image / "etc/ambicast/watch.key").unlink()
    path = image / AGENT
    settings = yaml.safe_load(path.read_text())
    settings["watch_key_file"] = "/etc/cdn/watch.key"
    settings["broker"] |= {"password_file": "/etc/cdn/broker/password"}
    path.write_text(yaml.safe_dump(settings))
    secret_at(image, "/etc/cdn/watch.key")
    return secret_at(image, "/etc/cdn/broker/password")


def test_secrets_elsewhere_are_given_to_the_user_and_no_new_key_is_made(elsewhere, install, image):
    assert install()[0] == 0
    owners = (image / "etc/tmpfiles.d/ambicast.conf").read_text()
    assert "z /etc/cdn/watch.key 0600 ambicast\n" in owners
    assert "z /etc/cdn/broker/password 0600 ambicast\n" in owners
    assert not (image / "etc/ambicast/watch.key").exists()


def refused(install, image, why):
    before = written(image)
    code, _, err = install()
    assert (code, written(image)) == (2, before)
    where = "/etc/ambicast/agent.yaml: broker.password_file: /etc/cdn/broker/password"
    assert f"{where}: {why}" in err


def test_a_secret_that_is_not_there_is_named(elsewhere, install, image):
    elsewhere.unlink()
    refused(install, image, "no such file")


def test_a_secret_of_somebody_else_stays_his(elsewhere, install, image, monkeypatch):
    monkeypatch.setattr(credentials, "_owner", lambda path: "mosquitto")
    monkeypatch.setattr(credentials, "_owned", lambda path, *_: path.name != "password")
    refused(install, image, "it belongs to mosquitto")


def test_nor_does_it_help_where_the_user_cannot_enter_the_folder(
    elsewhere, install, image, monkeypatch
):
    elsewhere.parent.chmod(0o700)
    who = elsewhere.parent.owner()
    refused(install, image, f"only {who} can enter the folder /etc/cdn/broker")
    monkeypatch.setattr(credentials, "_group", lambda path: "ambicast")
    elsewhere.parent.chmod(0o750)
    assert install()[0] == 0


def test_a_secret_where_units_cannot_see_it_is_refused(elsewhere, install, image):
    path = image / AGENT
    path.write_text(path.read_text().replace("/etc/cdn/watch.key", "/root/watch.key"))
    code, _, err = install()
    assert code == 2
    assert "watch_key_file: /root/watch.key: units cannot see /home/" in err


def test_the_controllers_password_likewise(ambicast, image):
    secret_at(image, "/etc/cdn/controller")
    file = secret_at(image, "/etc/ambicast/controller.yaml")
    broker = {"host": "127.0.0.1", "password_file": "/etc/cdn/controller"}
    file.write_text(yaml.safe_dump({"broker": broker}))
    options = ("--fleet", FLEET, "--root", image, "--programs", PROGRAMS)
    assert ambicast("install", "controller", *options)[0] == 0
    owners = (image / "etc/tmpfiles.d/ambicast-controller.conf").read_text()
    assert "z /etc/cdn/controller 0600 ambicast-controller\n" in owners


def test_a_responder_that_has_just_been_started_is_not_reloaded(monkeypatch):
    fresh = units.TARGET / "ambicast-responder.service"
    monkeypatch.setattr(plans, "text_at", lambda root, path: None if path == fresh else "other")
    monkeypatch.setattr(plans, "pending", lambda root, files: files)
    monkeypatch.setattr(plans.settings, "existing", lambda root, path: {})
    change = plans.install_agent(LIVE, "ams", None, FLEET, None, PROGRAMS)
    again = [str(each) for each in change.after if "try" in str(each)]
    assert again == ["systemctl try-restart ambicast-agent.service"]
