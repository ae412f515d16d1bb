"""SIGHUP: a fleet file with a fault is refused by name and counted, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ambicast.broker.settings import Broker
from controller.config import Settings
from controller.wiring import reload

EXAMPLE = Path(__file__).parents[2] / "configs" / "fleet.yaml"


class Counting:
    faults = 0

    def count_fault(self):
        self.faults += 1


@pytest.fixture
def settings(tmp_path):
    text = EXAMPLE.read_text().replace("file: ", f"file: {EXAMPLE.parent}/")
    (tmp_path / "fleet.yaml").write_text(text)
    return Settings(str(tmp_path / "fleet.yaml"), Broker("127.0.0.1"), "journal")


def test_a_good_file_is_good_and_counts_as_nothing(settings):
    loop = Counting()
    with capture_logs() as said:
        reload(settings, loop)
    assert (loop.faults, said[0]["log_level"]) == (0, "info")


@pytest.mark.parametrize("fault", ["colour: red\n", "pops: [\n"])
def test_a_broken_file_is_refused_by_name_and_counted(settings, fault):
    loop = Counting()
    path = Path(settings.fleet)
    path.write_text(path.read_text() + fault)
    with capture_logs() as said:
        reload(settings, loop)
        reload(settings, loop)
    assert loop.faults == 2
    assert f"{path}:" in said[0]["faults"]
    path.unlink()
    with capture_logs() as said:
        reload(settings, loop)
    assert "cannot be read" in said[0]["faults"]
