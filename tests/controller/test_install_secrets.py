"""Secrets of an agent and a controller that share a machine, and those behind links."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from controller.cli.installing import changes, plans, system
from controller.cli.installing.changes import InstallError

FLEET = Path(__file__).parents[2] / "configs" / "fleet.yaml"
PROGRAMS = Path("/opt/ambicast/.venv/bin")
SHARED = "/etc/ambicast/broker.password"


@pytest.fixture
def root(tmp_path):
    """An image whose folders everybody can enter, as on a machine."""
    found = tmp_path / "image"
    found.mkdir(mode=0o755)
    return found


def put(root, path, text="0" * 64):
    file = root / path.removeprefix("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def install(root, what):
    change = (
        plans.install_agent(root, "ams", None, FLEET, None, PROGRAMS)
        if what == "agent"
        else plans.install_controller(root, FLEET, None, PROGRAMS)
    )
    list(changes.carry_out(root, change, lambda _: None))


def broker(root, what):
    return yaml.safe_load((root / f"etc/ambicast/{what}.yaml").read_text())["broker"]


def owners(root):
    """Which user is given which file: (path, user)."""
    files = (root / "etc/tmpfiles.d").iterdir()
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    return [(words[1], words[3]) for words in lines]


@pytest.mark.parametrize("order", [("agent", "controller"), ("controller", "agent")])
def test_agent_and_controller_on_one_machine_have_a_password_each(root, order):
    put(root, SHARED)
    put(root, "/etc/ambicast/controller.password")
    for what in (*order, *order):
        install(root, what)
    assert broker(root, "agent")["password_file"] == SHARED
    assert broker(root, "controller") == {
        "host": "127.0.0.1",
        "port": 1883,
        "username": "controller",
        "password_file": "/etc/ambicast/controller.password",
    }
    paths = [path for path, _ in owners(root)]
    assert len(paths) == len(set(paths))
    assert ("/etc/ambicast/controller.password", "ambicast-controller") in owners(root)


def test_a_controller_does_not_take_the_agents_password_for_its_own(root):
    put(root, SHARED)
    install(root, "controller")
    assert "password_file" not in broker(root, "controller")
    assert SHARED not in dict(owners(root))


def test_a_controller_that_was_set_to_that_file_keeps_it(root):
    put(root, SHARED)
    known = {"broker": {"host": "b", "port": 1883, "password_file": SHARED}}
    put(root, "/etc/ambicast/controller.yaml", yaml.safe_dump(known))
    install(root, "controller")
    assert broker(root, "controller")["password_file"] == SHARED
    assert dict(owners(root))[SHARED] == "ambicast-controller"


@pytest.mark.parametrize("first", ["agent", "controller"])
def test_one_file_for_both_is_refused_by_name(root, first):
    """Whichever comes second, and also where the agent names no password at all."""
    put(root, SHARED)
    known = {"broker": {"host": "b", "port": 1883, "password_file": SHARED}}
    if first == "agent":
        install(root, "agent")
        put(root, "/etc/ambicast/controller.yaml", yaml.safe_dump(known))
        second = "controller"
    else:
        put(root, "/etc/ambicast/controller.yaml", yaml.safe_dump(known))
        install(root, "controller")
        second = "agent"
    with pytest.raises(InstallError) as refused:
        install(root, second)
    said = str(refused.value)
    for each in (SHARED, "agent.yaml", "controller.yaml", "/etc/ambicast/controller.password"):
        assert each in said
    assert "\n" not in said


def test_nor_may_they_share_one_at_another_place(root):
    put(root, "/etc/cdn/password")
    named = {"broker": {"host": "b", "port": 1883, "password_file": "/etc/cdn/password"}}
    put(root, "/etc/ambicast/controller.yaml", yaml.safe_dump(named))
    install(root, "controller")
    settings = {"pop": "ams", "host": "ams-1", **named}
    put(root, "/etc/ambicast/agent.yaml", yaml.safe_dump(settings))
    with pytest.raises(InstallError, match="/etc/cdn/password: the agent"):
        install(root, "agent")


def test_what_an_uninstalled_agent_left_behind_is_nobodys(root):
    put(root, SHARED)
    install(root, "agent")
    gone = plans.uninstall_agent(root, PROGRAMS, 0.0, purge=False)
    list(changes.carry_out(root, gone, lambda _: None))
    known = {"broker": {"host": "b", "port": 1883, "password_file": SHARED}}
    put(root, "/etc/ambicast/controller.yaml", yaml.safe_dump(known))
    install(root, "controller")
    assert dict(owners(root))[SHARED] == "ambicast-controller"


@pytest.mark.parametrize("name", ["watch.key", "broker.password", "broker.key"])
def test_a_link_at_the_usual_place_is_refused_by_name(root, name):
    """systemd-tmpfiles leaves both the link and what it leads to as they are."""
    target = put(root, "/etc/cdn/secret")
    link = root / "etc/ambicast" / name
    link.parent.mkdir()
    link.symlink_to(target)
    with pytest.raises(InstallError, match=f"/etc/ambicast/{name}: a symbolic link"):
        install(root, "agent")
    assert not (root / "etc/ambicast/agent.yaml").exists()


def test_a_link_at_a_chosen_place_likewise(root):
    target = put(root, "/etc/cdn/secret")
    (root / "etc/cdn/link").symlink_to(target)
    named = {"broker": {"host": "b", "port": 1883, "password_file": "/etc/cdn/link"}}
    put(root, "/etc/ambicast/controller.yaml", yaml.safe_dump(named))
    with pytest.raises(InstallError) as refused:
        install(root, "controller")
    assert "controller.yaml: broker.password_file: /etc/cdn/link: a symbolic link" in str(
        refused.value
    )


def test_on_a_live_machine_the_owners_are_the_same(root, monkeypatch):
    monkeypatch.setattr(system, "LIVE", root)
    put(root, "/etc/ambicast/controller.password")
    install(root, "controller")
    assert owners(root)[0] == ("/etc/ambicast/controller.password", "ambicast-controller")
