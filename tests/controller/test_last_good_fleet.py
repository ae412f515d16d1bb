"""A controller over a broken fleet file starts with the fleet of its last start, and says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ambicast.files import FleetFileError, load_fleet
from controller.storage.lastgood import fleet_to_start_with, kept_beside

EXAMPLE = Path(__file__).parents[2] / "configs" / "fleet.yaml"


@pytest.fixture
def places(tmp_path):
    """A fleet file, with its own client file beside it, and where the journal is."""
    text = EXAMPLE.read_text()
    file = re.search(r"file: ([\w./-]+)", text)[1]
    clients = tmp_path / file
    clients.parent.mkdir(parents=True, exist_ok=True)
    clients.write_text((EXAMPLE.parent / file).read_text())
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(text)
    return fleet, clients, tmp_path / "state" / "journal.sqlite"


def test_a_good_file_is_used_kept_and_nothing_to_complain_of(places):
    fleet, _, journal = places
    found = fleet_to_start_with(fleet, journal)
    assert found.fleet == load_fleet(fleet)
    assert found.complaints == ()
    assert kept_beside(journal).exists()


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("broken", [True, False])
def test_a_refused_fleet_or_client_file_leaves_the_whole_fleet_of_the_last_start(
    places, which, broken
):
    fleet, _, journal = places
    good = fleet_to_start_with(fleet, journal).fleet
    if broken:
        places[which].write_text("colour: red\n")
    else:
        places[which].unlink()
    with capture_logs() as said:
        found = fleet_to_start_with(fleet, journal)
    assert found.fleet == good
    assert [each["log_level"] for each in said] == ["error"]
    assert f"{places[which].name}" in said[0]["faults"]
    assert "starting with the last good fleet" in found.complaints[0]
    assert fleet_to_start_with(fleet, journal).fleet == good


def test_a_mended_file_is_used_again(places):
    fleet, _, journal = places
    text = fleet.read_text()
    fleet_to_start_with(fleet, journal)
    fleet.write_text("colour: red\n")
    fleet_to_start_with(fleet, journal)
    fleet.write_text(text.replace("fleet: example", "fleet: other", 1))
    assert fleet_to_start_with(fleet, journal).fleet.name == "other"


@pytest.mark.parametrize("kept", [None, b"", b"{}", b'{"name": 7}', b"\xff"])
def test_without_anything_usable_the_faults_of_the_file_are_told(places, kept):
    fleet, _, journal = places
    fleet.write_text("colour: red\n")
    if kept is not None:
        journal.parent.mkdir()
        kept_beside(journal).write_bytes(kept)
    with pytest.raises(FleetFileError, match="colour"):
        fleet_to_start_with(fleet, journal)


def test_where_nothing_can_be_written_the_good_file_is_used_all_the_same(places):
    fleet, _, journal = places
    journal.parent.write_text("a file where a folder should be")
    found = fleet_to_start_with(fleet, journal)
    assert found.fleet == load_fleet(fleet)
    assert "not kept" in found.complaints[0]
