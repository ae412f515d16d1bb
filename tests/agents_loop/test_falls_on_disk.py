"""The record of failures survives the agent; what happens to its file costs only itself."""

from __future__ import annotations

import pytest

from agents.advertising.hold_down import Falls
from agents.orders.falls import FallStorage
from agents.orders.storage import Kept
from agents.wiring import restored
from tests.agents_advertising.hosts import FACTS

FALLS = {
    "www": Falls(at=(1.5e9, 1.6e9), passing=1.7e9),
    "video": Falls(at=(1.5e9,), pardoned=True),
}


def test_what_was_kept_is_read_again(tmp_path):
    assert FallStorage(tmp_path).read() == {}
    FallStorage(tmp_path).keep(FALLS)
    assert FallStorage(tmp_path).read() == FALLS
    FallStorage(tmp_path).keep({})
    assert FallStorage(tmp_path).read() == {}


@pytest.mark.parametrize("content", [b"", b"{", b'{"www": 5}', b"\xff\xfe", b"[]"])
def test_a_broken_file_is_forgotten(tmp_path, content):
    (tmp_path / "falls.json").write_bytes(content)
    assert FallStorage(tmp_path).read() == {}


def test_a_folder_that_cannot_be_written_or_a_file_that_cannot_be_read_stops_nothing(tmp_path):
    nowhere = FallStorage(tmp_path / "not" / "there")
    nowhere.keep(FALLS)
    assert nowhere.read() == {}
    (tmp_path / "falls.json").mkdir()
    assert FallStorage(tmp_path).read() == {}
    FallStorage(tmp_path).keep(FALLS)


def test_a_full_disk_keeps_the_last_record_whole(tmp_path, monkeypatch):
    storage = FallStorage(tmp_path)
    storage.keep(FALLS)

    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    storage.keep({})
    assert storage.read() == FALLS


def test_an_agent_begins_with_the_failures_it_finds():
    assert restored(Kept(), FACTS, 1000.0, falls=FALLS).serving.falls == FALLS
    assert restored(Kept(), FACTS, 1000.0).serving.falls == {}
