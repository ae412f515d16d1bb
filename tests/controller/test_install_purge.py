"""``ambicast uninstall agent --purge``: nothing that the host's programs keep is forgotten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import agents
from agents.nameserver.places import Places
from controller.cli.installing import changes, plans, remains, settings
from controller.cli.installing.system import LIVE

FLEET = Path(__file__).parents[2] / "configs" / "fleet.yaml"
PROGRAMS = Path("/opt/ambicast/.venv/bin")
STATE = "var/lib/ambicast"
NAMED = re.compile(r'"([a-z.]+\.json)"')


def carry_out(root, change):
    list(changes.carry_out(root, change, lambda _: None))


@pytest.fixture
def image(tmp_path):
    carry_out(tmp_path, plans.install_agent(tmp_path, "ams", None, FLEET, None, PROGRAMS))
    return tmp_path


def purge(root):
    carry_out(root, plans.uninstall_agent(root, PROGRAMS, 0.0, purge=True))


def left(folder):
    return {each.name for each in folder.rglob("*") if each.is_symlink() or each.is_file()}


def test_every_file_that_the_agents_sources_name_is_known_here():
    sources = Path(agents.__file__).parent.rglob("*.py")
    named = {name for each in sources for name in NAMED.findall(each.read_text())}
    assert named == {*remains.BRAKE, *remains.MEMORY}


def filled(folder, knot):
    """A host's memory, with a draft of each file as a sudden end leaves it."""
    folder.mkdir(parents=True)
    for name in (*remains.BRAKE, *remains.MEMORY, settings.MARK):
        (folder / name).write_text("{}")
        (folder / name).with_suffix(".draft").write_text("{")
    places = Places(knot, knot / "socket")
    for tree in (places.maps / "1-1", places.database / "timers"):
        tree.mkdir(parents=True)
        (tree / "data").write_text("")
    places.live_map.symlink_to("maps/1-1")
    for file in (places.configuration, places.zone):
        file.write_text("")


def test_purging_leaves_nothing_of_the_hosts_memory(image):
    filled(image / STATE, image / STATE / "knot")
    (image / STATE / "installed.draft").unlink()
    purge(image)
    assert left(image / STATE) == set()


def test_without_it_only_the_brake_goes_and_the_mark(image):
    filled(image / STATE, image / STATE / "knot")
    carry_out(image, plans.uninstall_agent(image, PROGRAMS, 0.0, purge=False))
    gone = {*remains.BRAKE, settings.MARK}
    assert {*remains.MEMORY, "zone", "map"} <= left(image / STATE)
    assert not gone & left(image / STATE)


def test_what_lies_in_folders_of_somebodys_choice_goes_and_what_is_his_stays(image):
    path = image / "etc/ambicast/agent.yaml"
    known = yaml.safe_load(path.read_text())
    known["state_dir"] = "/srv/state"
    known["knot"]["directory"] = "/srv/knot"
    path.write_text(yaml.safe_dump(known))
    filled(image / "srv/state", image / "srv/knot")
    (image / "srv/state/installed.json").unlink()
    (image / "srv/state/installed.draft").unlink()
    (image / "srv/state/mine.json").write_text("")
    (image / "srv/knot/mine").write_text("")
    purge(image)
    assert left(image / "srv") == {"mine.json", "mine"}


def test_an_agent_yaml_that_nobody_can_read_does_not_keep_it(image):
    filled(image / STATE, image / STATE / "knot")
    (image / STATE / "installed.draft").unlink()
    (image / "etc/ambicast/agent.yaml").write_text("a: [")
    purge(image)
    assert left(image / STATE) == set()


def test_a_link_in_place_of_a_folder_is_taken_away_and_not_what_it_leads_to(image):
    there = image / "srv/precious"
    there.mkdir(parents=True)
    (there / "data").write_text("")
    (image / STATE / "knot").mkdir(parents=True)
    (image / STATE / "knot/db").symlink_to(there)
    purge(image)
    assert left(image / STATE) == set()
    assert left(there) == {"data"}


def test_the_fleet_file_of_a_controller_beside_it_stays(image):
    carry_out(image, plans.install_controller(image, FLEET, None, PROGRAMS))
    purge(image)
    assert (image / "etc/ambicast/fleet.yaml").exists()
    assert not (image / "etc/ambicast/agent.yaml").exists()


def test_it_is_shown_before_it_is_done(image):
    filled(image / STATE, image / STATE / "knot")
    change = plans.uninstall_agent(image, PROGRAMS, 0.0, purge=True)
    shown = "\n".join(changes.shown(image, change))
    assert "--- /var/lib/ambicast/proven.json (removed)" in shown
    assert "--- /var/lib/ambicast/knot/db (removed)" in shown
    assert left(image / STATE)
    assert LIVE not in {each.path for each in change.files}
