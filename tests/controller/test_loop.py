"""The loop in virtual time: one turn per burst, memory before speech, and faithful replays."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ambicast.files import load_fleet
from controller.choreography.run import Happened, WakeAt
from controller.storage.journal import SqliteJournal
from controller.storage.replay import line, main, replay
from controller.world.observations import BusChanged, DrainAsked
from tests.choreography.fleets import AMS, FRA
from tests.controller.scenes import Clock, Diary, Troupe

ROOT = Path(__file__).parents[2]


async def play(troupe, seconds, every=0.25):
    """Runs the loop's own task; agents report now and then."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(troupe.loop.run(), name="loop")
        until = troupe.clock() + seconds
        while troupe.clock() < until:
            await asyncio.sleep(every)
            troupe.report()
        task.cancel()


def virtual():
    loop = asyncio.get_running_loop()
    return lambda: 1000.0 + loop.time()


@pytest.mark.looptime
async def test_a_burst_of_reports_costs_one_turn():
    diary = Diary()
    troupe = Troupe(diary, virtual())
    troupe.loop.tell(BusChanged(connected=True))
    for _ in range(100):
        troupe.stage._told.clear()
        troupe.report()
    await play(troupe, 0.1, every=0.1)
    first = diary.read("append")[0]
    assert len(first[1]) > 500
    assert len(diary.read("append")) <= 2


@pytest.mark.looptime
async def test_what_was_learned_and_decided_is_kept_before_anything_is_sent():
    diary = Diary()
    troupe = Troupe(diary, virtual())
    troupe.loop.tell(BusChanged(connected=True))
    await play(troupe, 4)
    kept = -1
    for page in diary.pages:
        if page[0] == "append" and page[2] is not None:
            kept = page[2].generation
        if page[0] == "send":
            assert page[1].stamp.generation <= kept
    assert len(diary.read("send")) >= 7


@pytest.mark.looptime
async def test_a_loop_that_hears_nothing_wakes_up_by_itself():
    diary = Diary()
    troupe = Troupe(diary, virtual())
    troupe.loop.tell(BusChanged(connected=True))
    await play(troupe, 3)
    troupe.stage.silent.add(AMS)
    await play(troupe, 3)
    # Only watchers speak now, and AMS returns at a time that nobody announces.
    troupe.stage.silent.clear()
    await play(troupe, 12)
    assert troupe.loop.view().run.pops[AMS].phase == "home"


@pytest.mark.looptime
async def test_listeners_hear_every_event_until_they_are_forgotten():
    diary = Diary()
    troupe = Troupe(diary, virtual())
    heard = []
    troupe.loop.listen(heard.append)
    troupe.loop.tell(BusChanged(connected=True))
    await play(troupe, 3)
    assert [each.kind for each in heard] == ["pop.established"] * 3
    assert heard == diary.events(0.0, 100)
    troupe.loop.forget(heard.append)
    troupe.stage.silent.add(AMS)
    await play(troupe, 2)
    assert len(heard) == 3


@pytest.mark.looptime
async def test_a_recorded_run_replays_to_the_same_commands(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    clock = virtual()
    first = Troupe(Diary(journal), clock)
    troupe = first
    troupe.loop.tell(BusChanged(connected=True))
    await play(troupe, 3)
    troupe.stage.silent.add(AMS)
    await play(troupe, 2)
    troupe.stage.silent.clear()
    await play(troupe, 3.3, every=0.3)
    # The controller dies in the middle of the return, and another goes on from the journal.
    run = journal.last_run()
    second = Troupe(Diary(journal), clock, msgspec.structs.replace(run, epoch=2, begun=False))
    second.stage.orders, second.stage.wires = first.stage.orders, first.stage.wires
    second.loop.tell(BusChanged(connected=True))
    second.loop.tell(DrainAsked(FRA, "repairs"))
    await play(second, 15)
    said = decisions(first, second)
    journal.close()
    again = [command for _, command in replay(path, first.fleet)]
    assert [each for each in again if not isinstance(each, Happened)] == said[0]
    assert [each for each in again if isinstance(each, Happened)] == said[1]
    assert {"pop.lost", "pop.recovered", "pop.drain"} <= {getattr(c, "kind", "") for c in said[1]}
    assert all(line(at, each).startswith("1") for at, each in replay(path, first.fleet))


def decisions(*troupes):
    """What was sent, and what happened, each in its order."""
    pages = [page for each in troupes for page in each.diary.pages]
    sent = [page[1] for page in pages if page[0] == "send"]
    return sent, [each for page in pages if page[0] == "record" for each in page[1]]


def test_replay_prints_one_decision_per_line_and_one_line_per_fault(tmp_path):
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    fleet = ROOT / "configs" / "fleet.yaml"
    Troupe(Diary(journal), Clock(), fleet=load_fleet(fleet)).settle()
    journal.close()
    command = [sys.executable, "-m", "controller.storage.replay"]
    done = subprocess.run(
        [*command, path, fleet], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert any(" order 1." in each for each in lines)
    assert any(" pop.established ams: starting -> home" in each for each in lines)
    assert not any("wake" in each for each in lines)


@pytest.mark.parametrize("missing", ["journal", "fleet"])
def test_a_missing_file_is_one_line(tmp_path, capsys, missing):
    fleet = ROOT / "configs" / "fleet.yaml"
    SqliteJournal(tmp_path / "there.sqlite").close()
    paths = {
        "journal": [str(tmp_path / "nowhere.sqlite"), str(fleet)],
        "fleet": [str(tmp_path / "there.sqlite"), str(tmp_path / "nowhere.yaml")],
    }
    assert main(paths[missing]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "nowhere.sqlite").exists()


def test_a_wake_up_has_a_line_too():
    assert line(1.0, WakeAt(2.0)) == "1.000 wake 2.000"
