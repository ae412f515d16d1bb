"""The journal in SQLite: everything learned, every decision, every event.

One writer, WAL, ``synchronous=NORMAL``: a commit costs well under a millisecond and survives the
death of the process (a power cut may lose the last moments; agents and retained messages still
hold what was sent, and the epoch taken from them stays ahead). ``(at, observation)`` rows replay
to the same decisions; the newest run is what a restarted controller goes on from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from controller.choreography.run import Happened, Run
from controller.world.observations import Observation

_TABLES = """
create table if not exists learned (id integer primary key, at real not null, what blob not null);
create table if not exists run (one integer primary key check (one = 1), what blob not null);
create table if not exists happened (id integer primary key, at real not null, what blob not null);
"""
# A year of a calm fleet; beyond it the oldest are dropped at start.
MOST_LEARNED = 2_000_000
MOST_HAPPENED = 200_000


class JournalError(Exception):
    """The journal cannot be used: which file and why."""


class SqliteJournal:
    """The journal of one controller; blocking calls that take microseconds."""

    def __init__(self, path: Path) -> None:
        """Opens (or makes) the journal; raises :class:`JournalError`."""
        self._observation = msgspec.json.Decoder(Observation)
        self._run = msgspec.json.Decoder(Run)
        self._event = msgspec.json.Decoder(Happened)
        self._encode = msgspec.json.Encoder().encode
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=normal")
            self._base.executescript(_TABLES)
            self._trim()
        except (OSError, sqlite3.Error) as fault:
            message = f"{path}: {fault}"
            raise JournalError(message) from None

    def append(self, entries: Sequence[tuple[float, Observation]], run: Run | None) -> None:
        """Keeps what was learned and the run it led to, in one transaction."""
        rows = [(at, self._encode(what)) for at, what in entries]
        self._base.execute("begin")
        self._base.executemany("insert into learned (at, what) values (?, ?)", rows)
        if run is not None:
            self._base.execute(
                "insert into run (one, what) values (1, ?) "
                "on conflict (one) do update set what = excluded.what",
                (self._encode(run),),
            )
        self._base.execute("commit")

    def record(self, happened: Sequence[Happened]) -> None:
        """Keeps events."""
        rows = [(each.at, self._encode(each)) for each in happened]
        self._base.execute("begin")
        self._base.executemany("insert into happened (at, what) values (?, ?)", rows)
        self._base.execute("commit")

    def last_run(self) -> Run | None:
        """The run to go on from, or none in an empty journal."""
        row = self._base.execute("select what from run").fetchone()
        return self._run.decode(row[0]) if row else None

    def learned(self) -> Iterator[tuple[float, Observation]]:
        """Everything learned, oldest first: replaying it reproduces every decision."""
        for at, what in self._base.execute("select at, what from learned order by id"):
            yield at, self._observation.decode(what)

    def events(self, since: float = 0.0, most: int = 1000) -> list[Happened]:
        """The last ``most`` events after ``since``, oldest first."""
        rows = self._base.execute(
            "select what from happened where at > ? order by id desc limit ?", (since, most)
        ).fetchall()
        return [self._event.decode(what) for (what,) in reversed(rows)]

    def close(self) -> None:
        """Closes the file."""
        self._base.close()

    def _trim(self) -> None:
        for table, most in (("learned", MOST_LEARNED), ("happened", MOST_HAPPENED)):
            self._base.execute(
                f"delete from {table} where id <= (select max(id) from {table}) - ?",  # noqa: S608
                (most,),
            )
