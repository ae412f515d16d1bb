"""Ticks and bytes become shares of what the host can carry."""

import asyncio
import os
from pathlib import Path

import pytest

from agents.advertising.observations import LoadSeen
from agents.load.cpu import CpuMeter, Ticks, share, ticks
from agents.load.meter import EVERY, Meter
from agents.load.traffic import Counted, counters, shares
from tests.agents_watch.fleets import pop_of

STAT = "cpu  {} 0 0 {} 50 0 0 0 999 0\ncpu0 1 2 3 4\n"
DEV = """\
Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth1: {} 9 0 0 0 0 0 0 {} 9 0 0 0 0 0 0
  eth2:7 9 0 0 0 0 0 0 7 9 0 0 0 0 0 0
"""
POP = pop_of(1, "ams")
CAPACITY = POP.uplinks["north"].capacity


def test_waiting_for_a_disk_is_not_busy_and_guests_are_not_counted_twice():
    assert ticks(STAT.format(100, 800)) == Ticks(busy=100, idle=850)
    assert share(Ticks(100, 800), Ticks(190, 810)) == pytest.approx(0.9)
    assert share(Ticks(5, 5), Ticks(5, 5)) == 0.0
    assert share(Ticks(100, 800), Ticks(1, 2)) == 0.0, "a counter that began anew"


def test_the_first_look_has_nothing_to_compare_with(tmp_path):
    file = tmp_path / "stat"
    file.write_text(STAT.format(100, 800))
    meter = CpuMeter(file)
    assert meter.look() == 0.0
    file.write_text(STAT.format(175, 825))
    assert meter.look() == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("text", "load"),
    [("0.97\n", 0.97), ("1", 1.0), ("7", 1.0), ("-1", 0.0), ("nan", 0.0), ("", 0.0), ("?", 0.0)],
)
def test_a_share_somebody_else_measured_is_taken_as_it_is(tmp_path, text, load):
    (tmp_path / "load").write_text(text)
    assert CpuMeter(tmp_path / "load").look() == load


def test_a_file_that_is_not_there_is_no_load(tmp_path):
    assert CpuMeter(tmp_path / "none").look() == 0.0


def test_the_busier_direction_counts_against_the_capacity():
    before, after = counters(DEV.format(0, 0)), counters(DEV.format(10, int(CAPACITY) // 8))
    assert set(before) == {"lo", "eth1", "eth2"}
    assert shares(POP.uplinks, before, after, 2.0) == {"north": 0.5, "south": 0.0}
    assert shares(POP.uplinks, after, before, 2.0) == {"south": 0.0}, "began to count anew"
    assert shares(POP.uplinks, {}, after, 2.0) == {}
    assert shares(POP.uplinks, before, {"eth1": Counted(9, 9)}, 0.0) == {}


def running(tmp_path, told):
    """A meter over files of this folder; its CPUs are as busy as ``stat`` says."""
    (tmp_path / "dev").write_text(DEV.format(0, 0))
    clock = asyncio.get_running_loop().time
    meter = Meter(
        POP, tmp_path / "stat", lambda seen: told.append((clock(), seen)), tmp_path / "dev"
    )
    return asyncio.get_running_loop().create_task(meter.run(), name="meter")


@pytest.mark.looptime
async def test_it_tells_every_second(tmp_path):
    (tmp_path / "stat").write_text("0.5")
    told = []
    task = running(tmp_path, told)
    await asyncio.sleep(2.5)
    task.cancel()
    steady = LoadSeen(0.5, {"north": 0.0, "south": 0.0}, burst=0.5)
    assert [seen for _, seen in told] == [steady] * 2


@pytest.mark.looptime
async def test_a_jump_to_the_limit_is_told_as_a_burst_within_a_look_and_as_a_load_within_a_second(
    tmp_path,
):
    (tmp_path / "stat").write_text("0.1")
    told, clock = [], asyncio.get_running_loop().time
    task = running(tmp_path, told)
    await asyncio.sleep(3.05)
    (tmp_path / "stat").write_text("1.0")
    jumped = clock()
    await asyncio.sleep(2)
    (tmp_path / "stat").write_text("0.1")
    await asyncio.sleep(0.5)
    task.cancel()
    assert min(at for at, seen in told if seen.burst >= 0.9) - jumped <= EVERY
    assert min(at for at, seen in told if seen.cpu >= 0.9) - jumped <= 1.0
    at, last = told[-1]
    assert (last.burst, at - jumped <= 2 + EVERY) == (0.1, True), "and its end at once"
    assert len(told) <= 3 + 2 + 4, "and nothing else that does not matter"


def test_cards_that_count_once_a_second_do_not_look_loaded(tmp_path):
    told = []
    meter = Meter(POP, tmp_path / "stat", told.append, tmp_path / "dev")
    for look in range(100):
        carried = int(look * EVERY + 0.05) * int(0.55 * CAPACITY) // 8
        (tmp_path / "dev").write_text(DEV.format(0, carried))
        late = 0.0 if look % 5 else (0.04 if look % 10 else -0.04)
        seen = meter.look(look * EVERY + late)
        assert seen.uplinks.get("north", 0.0) < 0.9
        told.append(seen.uplinks.get("north", 0.0))
    assert max(told) >= 0.4


def test_this_machine_has_both_files():
    assert ticks(Path("/proc/stat").read_text()) is not None
    assert "lo" in counters(Path(f"/proc/{os.getpid()}/net/dev").read_text())
