"""The journal in SQLite: everything learned, every decision, every event.

One writer, WAL, ``synchronous=NORMAL``: a commit costs well under a millisecond and survives the
death of the process (a power cut may lose the last moments; agents and retained messages still
hold what was sent, and the epoch taken from them stays ahead). The newest run is what a restarted
controller goes on from; its failover table, megabytes for hundreds of PoPs and seldom made anew,
is kept apart from it and written only when it changes. ``turns`` says which of what was learned
was looked at together, so that a replay takes the same turns at the same instants
(:mod:`controller.storage.replay`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from ambicast.model.identifiers import PopName
from controller.choreography.run import Happened, Run
from controller.loop import JournalFault
from controller.planning.failover import Failover
from controller.world.observations import Observation

_TABLES = """
create table if not exists learned (id integer primary key, at real not null, what blob not null);
create table if not exists turns (
  id integer primary key, at real not null, first integer not null, began blob
);
create table if not exists run (one integer primary key check (one = 1), what blob not null);
create table if not exists failover (one integer primary key check (one = 1), what blob not null);
create table if not exists happened (id integer primary key, at real not null, what blob not null);
"""
# Watchers repeat themselves every second: half a day of a fleet of eight, some 700 MB; beyond it
# the oldest are dropped. Events are few and last for years.
MOST_LEARNED = 300_000
MOST_HAPPENED = 200_000
TRIM_EVERY = 5_000
_NOT_ITS_CONTENT = frozenset(
    {
        sqlite3.SQLITE_OK,  # the module's own complaints bear no code
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_AUTH,
    }
)


class JournalError(Exception):
    """The journal cannot be used: which file and why.

    ``unreadable``: what is in the file makes no sense; a new one in its place would work.
    """

    def __init__(self, text: str, *, unreadable: bool = False) -> None:
        super().__init__(text)
        self.unreadable = unreadable


class Turn(msgspec.Struct, frozen=True):
    """What was looked at together; ``began`` where a controller begins with that run instead."""

    at: float
    learned: tuple[Observation, ...]
    began: Run | None = None


class SqliteJournal:
    """The journal of one controller; blocking calls that take microseconds."""

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        """Opens (or makes, unless only ``reading``) the journal; raises :class:`JournalError`."""
        self._observation = msgspec.json.Decoder(Observation)
        self._run = msgspec.json.Decoder(Run)
        self._table = msgspec.json.Decoder(dict[PopName, Failover])
        self._failover: Mapping[PopName, Failover] | None = None
        self._event = msgspec.json.Decoder(Happened)
        self._encode = msgspec.json.Encoder().encode
        self._path = path
        self._since_trim = 0
        try:
            if reading:
                self._base = _reading(path)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=normal")
            self._base.executescript(_TABLES)
            self._trim()
        except (OSError, sqlite3.Error) as fault:
            message = f"{path}: {fault}"
            raise JournalError(message, unreadable=makes_no_sense(fault)) from None

    def begin(self, now: float, run: Run) -> None:
        """Keeps the run a controller begins with: a replay starts there."""
        with self._whole():
            self._turn(now, self._encode(run))

    def _turn(self, at: float, began: bytes | None) -> None:
        self._base.execute(
            "insert into turns (at, first, began) "
            "values (?, (select coalesce(max(id), 0) + 1 from learned), ?)",
            (at, began),
        )

    def append(self, entries: Sequence[tuple[float, Observation]], run: Run | None) -> None:
        """Keeps what was learned and the run it led to, in one transaction."""
        rows = [(at, self._encode(what)) for at, what in entries]
        self._since_trim += len(rows)
        with self._whole():
            if rows:
                self._turn(rows[0][0], None)
            self._base.executemany("insert into learned (at, what) values (?, ?)", rows)
            if run is not None:
                self._replace("run", msgspec.structs.replace(run, failover={}))
                if run.failover is not self._failover:
                    self._replace("failover", run.failover)
            if self._since_trim >= TRIM_EVERY:
                self._trim()
        if run is not None:
            self._failover = run.failover

    def _replace(self, table: str, what: object) -> None:
        self._base.execute(
            f"insert into {table} (one, what) values (1, ?) "  # noqa: S608 - our own words
            "on conflict (one) do update set what = excluded.what",
            (self._encode(what),),
        )

    def record(self, happened: Sequence[Happened]) -> None:
        """Keeps events."""
        rows = [(each.at, self._encode(each)) for each in happened]
        with self._whole():
            self._base.executemany("insert into happened (at, what) values (?, ?)", rows)

    def last_run(self) -> Run | None:
        """The run to go on from, or none in an empty journal; raises :class:`JournalError`."""
        try:
            row = self._base.execute("select what from run").fetchone()
            if not row:
                return None
            run = self._run.decode(row[0])
            return run if run.failover else self._with_table(run)
        except sqlite3.ProgrammingError:
            raise
        except (sqlite3.Error, msgspec.MsgspecError) as fault:
            message = f"{self._path}: {fault}"
            raise JournalError(message, unreadable=makes_no_sense(fault)) from None

    def _with_table(self, run: Run) -> Run:
        """With the failover table, which releases before this one kept in the run itself."""
        tables = "select 1 from sqlite_master where type = 'table' and name = 'failover'"
        if self._base.execute(tables).fetchone() is None:
            return run
        row = self._base.execute("select what from failover").fetchone()
        table = self._table.decode(row[0]) if row else {}
        return msgspec.structs.replace(run, failover=table)

    def check(self) -> None:
        """Looks at every page; raises :class:`JournalError` where the file makes no sense."""
        try:
            (said,) = self._base.execute("pragma quick_check(1)").fetchone()
        except sqlite3.Error as fault:
            message = f"{self._path}: {fault}"
            raise JournalError(message, unreadable=makes_no_sense(fault)) from None
        if said != "ok":
            message = f"{self._path}: {' '.join(said.split())}"
            raise JournalError(message, unreadable=True)

    def learned(self) -> Iterator[tuple[float, Observation]]:
        """Everything learned, oldest first, with its instant."""
        for turn in self.turns():
            yield from ((turn.at, each) for each in turn.learned)

    def turns(self) -> Iterator[Turn]:
        """Every turn kept, oldest first."""
        rows = self._base.execute(
            "select at, first, began, lead(first) over (order by id) from turns order by id"
        )
        for at, first, began, after in rows.fetchall():
            found = self._base.execute(
                "select what from learned where id >= ? and id < ? order by id",
                (first, after if after is not None else 2**62),
            )
            learned = tuple(self._observation.decode(what) for (what,) in found)
            yield Turn(at, learned, self._run.decode(began) if began is not None else None)

    def events(self, since: float = 0.0, most: int = 1000) -> list[Happened]:
        """The last ``most`` events after ``since``, oldest first; raises :class:`JournalFault`."""
        try:
            rows = self._base.execute(
                "select what from happened where at > ? order by id desc limit ?", (since, most)
            ).fetchall()
            return [self._event.decode(what) for (what,) in reversed(rows)]
        except (sqlite3.Error, msgspec.MsgspecError) as fault:
            message = f"{self._path}: {fault}"
            raise JournalFault(message) from fault

    def close(self) -> None:
        """Closes the file."""
        self._base.close()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """One transaction: all of it is kept, or none and :class:`JournalFault` says why."""
        try:
            self._base.execute("begin")
            yield
            self._base.execute("commit")
        except sqlite3.Error as fault:
            with suppress(sqlite3.Error):
                if self._base.in_transaction:
                    self._base.execute("rollback")
            message = f"{self._path}: {fault}"
            raise JournalFault(message, unreadable=makes_no_sense(fault)) from fault

    def _trim(self) -> None:
        self._since_trim = 0
        for table, most in (
            ("learned", MOST_LEARNED),
            ("turns", MOST_LEARNED),
            ("happened", MOST_HAPPENED),
        ):
            self._base.execute(
                f"delete from {table} where id <= (select max(id) from {table}) - ?",  # noqa: S608
                (most,),
            )


def makes_no_sense(fault: Exception) -> bool:
    """Whether the file's content is at fault, and not the disk or the rights to it."""
    if isinstance(fault, sqlite3.Error):
        return getattr(fault, "sqlite_errorcode", 0) & 0xFF not in _NOT_ITS_CONTENT
    return isinstance(fault, msgspec.MsgspecError)


def _reading(path: Path) -> sqlite3.Connection:
    """Opened without a wish to write; also where nobody may write, not even the reader's locks."""
    wal = path.with_name(f"{path.name}-wal")
    try:
        return _connected(path, "mode=ro")
    except sqlite3.OperationalError:
        if wal.exists() and wal.stat().st_size > 0:
            raise
    return _connected(path, "mode=ro&immutable=1")


def _connected(path: Path, how: str) -> sqlite3.Connection:
    base = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
    try:
        base.execute("select count(*) from turns").fetchone()
    except sqlite3.Error:
        base.close()
        raise
    return base
