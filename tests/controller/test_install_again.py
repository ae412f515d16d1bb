"""Installing once more: after one that failed half-way, and over programs that are newer."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.cli.installing import changes, plans, settings, system

FLEET = Path(__file__).parents[2] / "configs" / "fleet.yaml"
PROGRAMS = Path("/opt/ambicast/.venv/bin")
PACKAGES = "opt/ambicast/.venv/lib/python3.11/site-packages"
AGAIN = [
    "systemctl try-reload-or-restart ambicast-responder.service",
    "systemctl try-restart ambicast-agent.service",
]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A folder that is taken for this very machine, with Ambicast's programs in it."""
    monkeypatch.setattr(system, "LIVE", tmp_path)
    record = tmp_path / PACKAGES / "ambicast-0.1.0.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("agents/loop.py,sha256=1,100\n")
    return tmp_path


@pytest.fixture
def agent(machine):
    return lambda: plans.install_agent(machine, "ams", None, FLEET, None, PROGRAMS)


def done(machine, change, failing="nothing"):
    """The commands that were run, up to the failing one; the text of it all otherwise."""
    ran = []

    def run(argv):
        ran.append(" ".join(argv))
        if failing in ran[-1]:
            raise changes.InstallError("ended with 1")

    try:
        said = list(changes.carry_out(machine, change, run))
    except changes.InstallError:
        return ran, None
    return ran, said


def again(ran):
    return [each for each in ran if " try-" in each]


def waiting(said):
    return [each.split()[1] for each in said if "drain, then" in each]


def test_what_failed_half_way_is_done_by_the_next_one(machine, agent):
    done(machine, agent())
    unit = machine / "etc/systemd/system/ambicast-exabgp.service"
    unit.write_text("# of the release before\n")
    ran, said = done(machine, agent(), failing="enable --now ambicast-exabgp")
    assert (again(ran), said) == ([], None)
    ran, said = done(machine, agent())
    assert again(ran) == AGAIN
    assert "ambicast-exabgp.service" in waiting(said)


@pytest.mark.parametrize("failing", ["try-reload", "try-restart", "daemon-reload"])
def test_a_restart_that_failed_is_tried_again(machine, agent, failing):
    done(machine, agent())
    (machine / "etc/ambicast/clients.csv").write_text("other\n")
    assert done(machine, agent(), failing)[1] is None
    assert again(done(machine, agent())[0]) == AGAIN


def test_back_to_the_files_of_before_after_a_failure_is_a_change_too(machine, agent):
    """The responder may run with what came in between."""
    done(machine, agent())
    unit = machine / "etc/systemd/system/ambicast-agent.service"
    before = unit.read_text()
    unit.write_text("# by hand\n")
    assert done(machine, agent(), failing="try-restart")[1] is None
    assert unit.read_text() == before
    assert again(done(machine, agent())[0]) == AGAIN


def test_new_programs_in_the_same_place_are_started(machine, agent):
    done(machine, agent())
    record = machine / PACKAGES / "ambicast-0.1.0.dist-info" / "RECORD"
    record.write_text("agents/loop.py,sha256=2,100\n")
    ran, said = done(machine, agent())
    assert again(ran) == AGAIN
    assert waiting(said) == []
    assert again(done(machine, agent())[0]) == []


def test_another_version_of_a_library_likewise(machine, agent):
    done(machine, agent())
    record = machine / PACKAGES / "aiomqtt-2.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("")
    assert again(done(machine, agent())[0]) == AGAIN


def test_and_a_changed_source_of_an_installation_in_place(machine, agent):
    source = machine / "src" / "agents" / "loop.py"
    source.parent.mkdir(parents=True)
    source.write_text("old")
    origin = machine / PACKAGES / "ambicast-0.1.0.dist-info" / "direct_url.json"
    origin.write_text(f'{{"dir_info": {{"editable": true}}, "url": "file://{machine}/src"}}')
    done(machine, agent())
    assert again(done(machine, agent())[0]) == []
    source.write_text("new")
    assert again(done(machine, agent())[0]) == AGAIN


def test_twice_is_once_wherever_the_fleet_file_lies(machine, agent):
    ran, said = done(machine, agent())
    assert (again(ran), waiting(said)) == ([], [])
    there = machine / "etc/ambicast/fleet.yaml"
    for fleet in (FLEET, there):
        change = plans.install_agent(machine, "ams", None, fleet, None, PROGRAMS)
        ran, said = done(machine, change)
        assert again(ran) == []
        assert [each for each in said if not each.startswith(("running", "note: broker"))] == []


def test_a_fleet_file_and_a_key_changed_where_they_lie_are_taken_up(machine, agent):
    done(machine, agent())
    there = machine / "etc/ambicast/fleet.yaml"
    there.write_text(there.read_text() + "# changed\n")
    change = plans.install_agent(machine, "ams", None, there, None, PROGRAMS)
    ran, said = done(machine, change)
    assert again(ran) == AGAIN
    assert waiting(said) == ["ambicast-exabgp.service", "ambicast-nameserver.service"]
    (machine / "etc/ambicast/watch.key").write_text("1" * 64)
    change = plans.install_agent(machine, "ams", None, there, None, PROGRAMS)
    assert again(done(machine, change)[0]) == AGAIN


def test_a_host_of_a_release_that_left_no_mark_is_restarted_once(machine, agent):
    done(machine, agent())
    mark = machine / "var/lib/ambicast" / settings.MARK
    mark.unlink()
    assert again(done(machine, agent())[0]) == AGAIN
    mark.write_text("no JSON")
    assert again(done(machine, agent())[0]) == AGAIN
    assert again(done(machine, agent())[0]) == []
    assert mark.stat().st_mode & 0o777 == 0o600


def test_the_controller_likewise(machine):
    def controller():
        return plans.install_controller(machine, FLEET, None, PROGRAMS)

    done(machine, controller())
    assert again(done(machine, controller())[0]) == []
    record = machine / PACKAGES / "ambicast-0.1.0.dist-info" / "RECORD"
    record.write_text("controller/loop.py,sha256=2,100\n")
    assert done(machine, controller(), failing="try-restart")[1] is None
    assert again(done(machine, controller())[0]) == [
        "systemctl try-restart ambicast-controller.service"
    ]


def test_a_draft_never_goes_through_a_link_that_lies_in_its_way(tmp_path, monkeypatch):
    """Between taking an old draft away and writing the new one somebody was quicker."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".mark.draft").symlink_to(victim)
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    change = changes.Change(files=(changes.Put(Path("/mark"), "text"),))
    with pytest.raises(changes.InstallError, match="exists"):
        list(changes.carry_out(tmp_path, change, lambda _: None))
    assert victim.read_text() == "mine"
