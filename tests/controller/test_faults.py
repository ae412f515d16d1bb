"""What breaks inside the controller leaves the fleet as it is, and is seen."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Order, Report
from controller import loop as loop_module
from controller.choreography.run import PublishOrder, fresh
from controller.loop import JournalFault, Loop, Send, SendFault
from controller.storage.journal import SqliteJournal
from controller.world.observations import BusChanged, HostReported, Observation
from tests.choreography.fleets import AMS, three_pops


class Outbox:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[Send] = []

    def send(self, command: Send) -> None:
        self.sent.append(command)


def a_loop(journal: SqliteJournal) -> tuple[Loop, Outbox]:
    """A loop that has not heard anything, at time 1000."""
    fleet, outbox = three_pops(), Outbox()
    mailbox: asyncio.Queue[Observation] = asyncio.Queue()
    return Loop(fleet, fresh(fleet, 1, 1000.0), journal, outbox, lambda: 1000.0, mailbox), outbox


def a_report() -> HostReported:
    return HostReported(AMS, three_pops().bgp_hosts(AMS)[0], Report(instance="i"))


def test_a_turn_that_fails_changes_nothing_and_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, outbox = a_loop(SqliteJournal(tmp_path / "journal"))
    loop.turn([BusChanged(connected=True)])
    before = loop.view()

    def broken(*_: object) -> None:
        message = "a fault of ours"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(loop_module, "step", broken)
    loop.turn([a_report()])
    after = loop.view()
    assert after.world == before.world
    assert after.run == before.run
    assert outbox.sent == []
    assert after.faults == 1
    monkeypatch.undo()
    loop.turn([a_report()])
    assert loop.view().world.hosts
    assert loop.view().faults == 1


def test_a_full_disk_does_not_stop_decisions(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    loop, _ = a_loop(journal)
    pages = journal._base.execute("pragma page_count").fetchone()[0]
    journal._base.execute(f"pragma max_page_count = {pages}")
    report = Report(instance="x" * 100_000)
    loop.turn([HostReported(AMS, three_pops().bgp_hosts(AMS)[0], report)])
    assert loop.view().faults == 1
    assert loop.view().world.hosts


def test_a_message_that_cannot_be_sent_is_an_event_and_stops_no_other(tmp_path: Path) -> None:
    loop, outbox = a_loop(SqliteJournal(tmp_path / "journal"))
    command = PublishOrder(AMS, "ams-1", Stamp(1, 1), Order(advertisements=(), terminate=()))

    def refuse(_: Send) -> None:
        raise SendFault("ams-1/order: a message of 300000 bytes")

    outbox.send = refuse  # type: ignore[method-assign]
    loop._carry_out([command, command])
    assert loop.view().faults == 2
    (first, _) = loop.events(0.0, 10)
    assert (first.kind, first.pop) == ("message.unsendable", AMS)
    assert "300000 bytes" in first.text


def test_what_cannot_be_kept_whole_is_not_kept_at_all(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal")
    journal._base.execute("drop table run")
    run = fresh(three_pops(), 1, 0.0)
    with pytest.raises(JournalFault, match="no such table: run"):
        journal.append([(1.0, a_report())], run)
    assert list(journal.learned()) == []
    journal.close()
    with pytest.raises(sqlite3.ProgrammingError):
        journal.last_run()
