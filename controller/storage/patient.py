"""A journal that outlives its disk: what could not be kept is owed, and kept as soon as it can be.

A disk may be full for an hour. The run is then the one thing that must not stay behind, and events
are what people ask for meanwhile. A file that has become nonsense is set aside and begun anew, as
it would be at a start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from controller.choreography.run import Happened, Run
from controller.loop import JournalFault
from controller.storage.aside import set_aside
from controller.storage.journal import JournalError, SqliteJournal
from controller.world.observations import Observation

MOST_OWED = 1000


class PatientJournal:
    """Implements the loop's ``Journal`` port around a file, or around memory (no path)."""

    def __init__(self, journal: SqliteJournal, path: Path | None) -> None:
        self._journal, self._path = journal, path
        self._run: Run | None = None
        self._owes_run = False
        self._owed: deque[Happened] = deque(maxlen=MOST_OWED)

    def begin(self, now: float, run: Run) -> None:
        """Keeps with which run, and when, this controller begins."""
        self._run, self._owes_run = run, True
        self._journal.begin(now, run)

    def append(self, entries: Sequence[tuple[float, Observation]], run: Run | None) -> None:
        """Keeps one turn, and the run with it if it changed or is owed."""
        self._owes_run |= run is not None
        self._run = run or self._run
        try:
            self._journal.append(entries, self._run if self._owes_run else None)
        except JournalFault as fault:
            self._begin_anew(fault)
            raise
        self._owes_run = False

    def record(self, happened: Sequence[Happened]) -> None:
        """Keeps events, and those that are owed before them."""
        self._owed.extend(happened)
        self._journal.record(tuple(self._owed))
        self._owed.clear()

    def events(self, since: float, most: int) -> list[Happened]:
        """The last ``most`` events after ``since``, kept or owed, oldest first."""
        try:
            kept = self._journal.events(since, most)
        except JournalFault:
            kept = []
        return [*kept, *(each for each in self._owed if each.at > since)][-most:]

    def close(self) -> None:
        """Closes the file."""
        self._journal.close()

    def _begin_anew(self, fault: JournalFault) -> None:
        if not fault.unreadable or self._path is None:
            return
        try:
            self._journal.close()
            set_aside(self._path)
            self._journal = SqliteJournal(self._path)
        except (OSError, JournalError):
            self._journal, self._path = SqliteJournal(Path(":memory:")), None
        self._owes_run = True
