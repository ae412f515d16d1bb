"""The failover table is megabytes at 500 PoPs: written when it changes, read back with the run."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest

from controller.choreography.run import Run
from controller.planning.failover import Failover
from controller.storage.journal import SqliteJournal

TABLE = {"ams": Failover(("fra",), {f"group-{n}": "fra" for n in range(5000)}, (), 7.0)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path):
    journal = SqliteJournal(path)
    yield journal
    journal.close()


def rows(path):
    base = sqlite3.connect(path)
    found = [base.execute(f"select what from {each}").fetchone() for each in ("run", "failover")]
    base.close()
    return found


def test_a_run_comes_back_with_its_table(journal):
    run = Run(epoch=3, generation=4, failover=TABLE)
    journal.append([], run)
    assert journal.last_run() == run


def test_a_change_elsewhere_does_not_write_the_table_again(journal, path):
    run = Run(epoch=3, failover=TABLE)
    journal.append([], run)
    base = sqlite3.connect(path)
    base.execute("update failover set what = '{}'")
    base.commit()
    base.close()
    journal.append([], msgspec.structs.replace(run, generation=5))
    run_row, table_row = rows(path)
    assert len(run_row[0]) < 1000
    assert table_row == ("{}",)


def test_a_new_table_replaces_the_one_before_also_an_empty_one(journal):
    run = Run(epoch=3, failover=TABLE)
    journal.append([], run)
    newer = msgspec.structs.replace(run, failover={"fra": TABLE["ams"]})
    journal.append([], newer)
    assert journal.last_run() == newer
    journal.append([], Run(epoch=4))
    assert journal.last_run() == Run(epoch=4)


def test_a_journal_opened_again_keeps_the_table_of_its_own_first_run(path):
    for epoch in (3, 4):
        journal = SqliteJournal(path)
        run = Run(epoch=epoch, failover={"lhr": TABLE["ams"]} if epoch == 4 else TABLE)
        journal.append([], run)
        journal.close()
    reading = SqliteJournal(path, reading=True)
    assert reading.last_run() == run
    reading.close()


def test_a_journal_of_the_release_before_is_read(journal, path):
    run = Run(epoch=3, failover=TABLE)
    base = sqlite3.connect(path)
    base.execute("insert into run (one, what) values (1, ?)", (msgspec.json.encode(run),))
    base.execute("drop table failover")
    base.commit()
    assert journal.last_run() == run
    base.execute("update run set what = ?", (msgspec.json.encode(Run(epoch=3)),))
    base.commit()
    base.close()
    assert journal.last_run() == Run(epoch=3)


def test_a_table_that_could_not_be_kept_is_kept_with_the_next_run(journal, monkeypatch):
    run = Run(epoch=3, failover=TABLE)
    monkeypatch.setattr(journal, "_since_trim", 10**9)
    monkeypatch.setattr(journal, "_trim", lambda: journal._base.execute("nonsense"))
    with pytest.raises(Exception, match="nonsense"):
        journal.append([], run)
    monkeypatch.setattr(journal, "_trim", lambda: None)
    journal.append([], run)
    assert journal.last_run() == run
