"""Opening the journal at the start, whatever has become of it.

A file that makes no sense is set aside under another name, for people, and a new one begins. Where
nothing can be written, this controller remembers in memory only. Both mean that it starts without
memory: it adopts what it finds on the wires and changes nothing. A journal that was merely kept
from growing is found out later, by hosts that follow newer orders than it knows.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from controller.choreography.run import Run
from controller.storage.aside import set_aside
from controller.storage.journal import JournalError, SqliteJournal
from controller.storage.patient import PatientJournal

MEMORY = Path(":memory:")
# Checking every page of what is larger would take longer than a start may.
MOST_CHECKED = 64 * 2**20


class Opened(msgspec.Struct, frozen=True):
    """A journal to go on with, the run to go on from (if any), and what people should know."""

    journal: PatientJournal
    last: Run | None
    complaints: tuple[str, ...] = ()


def open_journal(path: Path) -> Opened:
    """The journal at ``path``, or what comes closest; never fails."""
    try:
        return _opened(path)
    except JournalError as fault:
        why = str(fault)
        if not fault.unreadable:
            return _in_memory(path, why)
    try:
        aside = set_aside(path)
        opened = _opened(path)
    except (OSError, JournalError) as fault:
        return _in_memory(path, f"{why}; {fault}")
    complaint = f"{why}: set aside as {aside.name}; starting without memory"
    return msgspec.structs.replace(opened, complaints=(complaint,))


def _opened(path: Path) -> Opened:
    journal = SqliteJournal(path)
    try:
        if path.stat().st_size <= MOST_CHECKED:
            journal.check()
        last = journal.last_run()
    except JournalError:
        journal.close()
        raise
    return Opened(PatientJournal(journal, path), last)


def _in_memory(path: Path, why: str) -> Opened:
    """What was there may still be read: its run is the last one that was kept."""
    journal = PatientJournal(SqliteJournal(MEMORY), None)
    last, note = None, "starting without memory"
    try:
        kept = SqliteJournal(path, reading=True)
        try:
            last, note = kept.last_run(), "going on from what it holds"
        finally:
            kept.close()
    except JournalError:
        pass
    complaint = f"{why}: nothing is kept from now on; {note}"
    return Opened(journal, last, (complaint,))
