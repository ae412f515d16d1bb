"""A journal that is cut, bent, read-only or on a full disk never keeps a controller from working.

Where memory is lost the controller starts without it, says so, adopts the world and changes
nothing; where it is merely behind, what is owed is kept later.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

import msgspec
import pytest

from controller.choreography.run import Happened, PublishOrder, fresh
from controller.loop import JournalFault
from controller.storage.journal import SqliteJournal
from controller.storage.opening import open_journal
from controller.world.observations import BusChanged
from tests.choreography.fleets import AMS, three_pops
from tests.controller.scenes import Clock, Diary, Troupe

RUN = msgspec.structs.replace(fresh(three_pops(), 7, 0.0), generation=42)
EVENT = Happened(1.0, "pop.lost", AMS, "a test")


def a_journal(path, turns=50):
    journal = SqliteJournal(path)
    for turn in range(turns):
        journal.append([(float(turn), BusChanged(connected=True))] * 20, RUN)
    journal.record([EVENT])
    journal.close()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "var" / "journal.sqlite"
    path.parent.mkdir()
    return path


def test_a_sound_journal_is_gone_on_from_without_a_word(path):
    a_journal(path)
    opened = open_journal(path)
    assert (opened.last, opened.complaints) == (RUN, ())
    assert opened.journal.events(0.0, 10) == [EVENT]


def test_none_at_all_is_no_complaint_either(path):
    opened = open_journal(path)
    assert (opened.last, opened.complaints) == (None, ())


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8, 0.97])
def test_a_journal_that_was_cut_is_set_aside(path, share):
    a_journal(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    set_aside_and_working(path)


@pytest.mark.parametrize("at", [0, 30, 100, 5000])
def test_a_journal_that_was_bent_is_set_aside(path, at):
    a_journal(path)
    bent = bytearray(path.read_bytes())
    bent[at : at + 4000] = b"\xa5" * 4000
    path.write_bytes(bent)
    set_aside_and_working(path)


def test_a_run_of_a_release_that_we_cannot_read_is_set_aside(path):
    a_journal(path)
    journal = SqliteJournal(path)
    journal._base.execute("update run set what = ?", (b'{"epoch": "seven"}',))
    journal.close()
    set_aside_and_working(path)


def test_what_was_set_aside_is_never_overwritten(path):
    for _ in range(2):
        path.write_bytes(b"nonsense" * 1000)
        open_journal(path).journal.close()
    kept = sorted(each.name for each in path.parent.iterdir() if "unreadable" in each.name)
    assert kept == ["journal.sqlite.unreadable-1", "journal.sqlite.unreadable-2"]


def set_aside_and_working(path):
    spoiled = path.read_bytes()
    opened = open_journal(path)
    assert opened.last is None
    (complaint,) = opened.complaints
    assert str(path) in complaint
    assert "set aside as journal.sqlite.unreadable-1; starting without memory" in complaint
    assert path.with_name("journal.sqlite.unreadable-1").read_bytes() == spoiled
    opened.journal.append([(1.0, BusChanged(connected=True))], RUN)
    opened.journal.close()
    assert SqliteJournal(path).last_run() == RUN


def test_where_nothing_can_be_written_memory_lasts_as_long_as_the_program(tmp_path):
    (tmp_path / "file").write_text("no folder")
    opened = open_journal(tmp_path / "file" / "journal.sqlite")
    (complaint,) = opened.complaints
    assert "nothing is kept from now on; starting without memory" in complaint
    opened.journal.append([(1.0, BusChanged(connected=True))], RUN)
    opened.journal.record([EVENT])
    assert opened.journal.events(0.0, 10) == [EVENT]


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounts a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_read_only_file_system_lets_us_go_on_from_what_it_holds(disk):
    a_journal(disk / "journal.sqlite", turns=3)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    opened = open_journal(disk / "journal.sqlite")
    assert opened.last == RUN
    assert "nothing is kept from now on; going on from what it holds" in opened.complaints[0]


def test_a_disk_that_fills_up_costs_faults_and_what_is_owed_is_kept_when_there_is_room(disk):
    path = disk / "journal.sqlite"
    journal = open_journal(path).journal
    journal.append([(0.0, BusChanged(connected=True))], RUN)
    room = disk / "full"
    fill(room)
    newer = msgspec.structs.replace(RUN, generation=43)
    with pytest.raises(JournalFault, match="full"):
        many(journal, newer)
    with pytest.raises(JournalFault):
        journal.record([msgspec.structs.replace(EVENT, text="x" * 9000)] * 9)
    assert len(journal.events(0.0, 100)) == 9
    room.unlink()
    journal.append([(2.0, BusChanged(connected=True))], None)
    journal.record([EVENT])
    assert len(journal.events(0.0, 100)) == 10
    journal.close()
    reopened = SqliteJournal(path)
    assert reopened.last_run() == newer
    assert len(reopened.events(0.0, 100)) == 10


def fill(path):
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def many(journal, run):
    for turn in range(500):
        journal.append([(float(turn), BusChanged(connected=True))] * 50, run)


def test_a_file_that_becomes_nonsense_meanwhile_is_begun_anew(path):
    journal = open_journal(path).journal
    journal.begin(0.0, RUN)
    journal.append([(0.0, BusChanged(connected=True))] * 500, RUN)
    base = journal._journal._base
    base.execute("pragma wal_checkpoint(truncate)")
    base.execute("pragma cache_size = 1")  # nothing of it is remembered
    path.write_bytes(b"\xa5" * path.stat().st_size)
    with pytest.raises(JournalFault, match=r"malformed|not a database"):
        many(journal, None)
    journal.append([(1.0, BusChanged(connected=True))], None)
    journal.close()
    assert SqliteJournal(path).last_run() == RUN
    assert path.with_name("journal.sqlite.unreadable-1").exists()


def sent(troupe):
    orders = [page[1] for page in troupe.diary.read("send")]
    return {each.host: each.order for each in orders if isinstance(each, PublishOrder)}


@pytest.mark.parametrize("spoil", [b"nonsense" * 900, b""])
def test_a_controller_whose_journal_is_gone_adopts_the_world_and_changes_nothing(path, spoil):
    before = Troupe(Diary(SqliteJournal(path)), Clock())
    before.settle()
    path.with_name(path.name + "-wal").unlink(missing_ok=True)
    path.write_bytes(spoil)
    opened = open_journal(path)
    assert opened.last is None
    after = Troupe(Diary(opened.journal), Clock(before.clock.now))
    for complaint in opened.complaints:
        after.loop.complain("journal.lost", complaint)
    after.stage.orders, after.stage.wires = before.stage.orders, before.stage.wires
    after.stage.answers = before.stage.answers
    after.settle()
    wanted = {host: set(order.advertisements) for host, order in sent(before).items()}
    for host, order in sent(after).items():
        assert set(order.advertisements) == wanted[host]
    assert {each.phase for each in after.loop.view().run.pops.values()} == {"home"}
    if spoil:
        assert after.loop.view().faults == 1
        assert any(each.kind == "journal.lost" for each in after.diary.events(0.0, 100))
