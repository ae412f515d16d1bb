from __future__ import annotations

import pytest

from agents.nameserver.places import Places, forget_maps, install_map, point, write
from ambicast.contract.codec import Stamp


@pytest.fixture
def places(tmp_path):
    found = Places(tmp_path, tmp_path / "knot.sock")
    found.maps.mkdir()
    return found


def live(places):
    return (places.live_map / "geo.conf").read_text(), (places.live_map / "map.mmdb").read_bytes()


def test_both_files_of_a_map_change_together(places):
    assert install_map(places, Stamp(1, 1), "one", b"1") is None
    former = install_map(places, Stamp(1, 2), "two", b"2")
    assert live(places) == ("two", b"2")
    assert former == places.maps / "1.1"


def test_the_former_map_can_be_taken_back(places):
    install_map(places, Stamp(1, 1), "one", b"1")
    former = install_map(places, Stamp(1, 2), "two", b"2")
    point(places, former)
    assert live(places) == ("one", b"1")


def test_a_file_the_server_has_open_is_replaced_and_never_written(places):
    install_map(places, Stamp(1, 1), "one", b"old")
    with (places.live_map / "map.mmdb").open("rb") as held:
        install_map(places, Stamp(1, 1), "one", b"new")
        assert held.read() == b"old"
    assert live(places) == ("one", b"new")


def test_only_the_live_map_is_kept(places):
    install_map(places, Stamp(1, 1), "one", b"1")
    install_map(places, Stamp(1, 2), "two", b"2")
    forget_maps(places, places.live_map.resolve())
    assert [each.name for each in places.maps.iterdir()] == ["1.2"]
    assert live(places) == ("two", b"2")


def test_a_half_written_file_is_never_seen(places):
    path = places.directory / "zone"
    write(path, b"first")
    (places.directory / "zone.new").write_bytes(b"half of a cra")
    assert path.read_bytes() == b"first"
    write(path, b"second")
    assert path.read_bytes() == b"second"
