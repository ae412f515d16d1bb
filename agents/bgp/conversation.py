"""One attachment to ExaBGP, without IO: lines in, lines out, the time as an argument.

Attaching: ask for the sessions, then for the adj-rib-out. Until the first answer arrives, whatever
is no event answers somebody who was attached before us and is skipped. Then every routes-bearing
session is asked to send its adj-rib-out again: what was sent before we listened has left no trace,
and an identical route changes nothing at the neighbor, but its echo proves what is on the wire.

From then on three things are compared: what is wanted, what ExaBGP holds (``rib``: what it last
showed, and what we said since) and what it has sent (``wire``). Wanted against held is settled at
once, by a diff. Held is read back after every change and every :data:`AUDIT` seconds. Held against
sent is given :data:`PATIENCE` seconds, then the session has to send again. A prefix whose last
change was not sent yet is changed again only after that (:mod:`agents.bgp.flight`), and at no
moment a neighbor is sent more prefixes than it takes (:mod:`agents.bgp.room`).

Neighbors that ExaBGP does not know (it was started before their uplink was there) are left alone;
the others are served. With graceful restart the end of the table (RFC 4724 section 2) is ours to
say, once all that is wanted was sent.

Answers carry no name: they are matched to commands by order alone. So whatever is unexpected, too
late or refused ends the attachment (:class:`LostThread`); the next one starts from nothing. An
ExaBGP that answers nothing for :data:`ANSWER_WITHIN` seconds, or knows no neighbor at all, has to
be started again (:class:`Stuck`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from typing import assert_never

import msgspec
import structlog

from agents.bgp.commands import (
    ENABLE_ANSWERS,
    SHOW_RIB,
    SHOW_SESSIONS,
    command,
    end_of_rib,
    send_again,
)
from agents.bgp.difference import Change, Rib, applied, diff
from agents.bgp.events import (
    Done,
    Down,
    Failed,
    Ignored,
    Negotiated,
    RibRow,
    Sent,
    SessionRow,
    Sessions,
    Unknown,
    Up,
    understand,
)
from agents.bgp.flight import InFlight
from agents.bgp.neighbors import Neighbor
from agents.bgp.paths import Path
from agents.bgp.room import within
from agents.bgp.wire import Line, fold, found

log = structlog.get_logger()

AUDIT = 30.0
PATIENCE = 1.0
ANSWER_WITHIN = 5.0
# While nothing else is asked; soon enough that a frozen ExaBGP is found within the hold time.
PING = 2.0
# A tick comes every second. After a longer gap it was us who stood still, and no answer is late.
STOOD_STILL = 2.5


class LostThread(Exception):  # noqa: N818 - a state of the conversation, not a fault of the code
    """Answers and commands no longer match, or ExaBGP is gone: attach anew."""


class Stuck(LostThread):
    """ExaBGP is of no use as it is: only a new one helps."""


class Kind(Enum):
    """What an open command is about."""

    SESSIONS = auto()
    RIB = auto()
    CHANGE = auto()
    SEND_AGAIN = auto()
    END_OF_RIB = auto()
    PING = auto()


class Open(msgspec.Struct, frozen=True):
    """A command without an answer yet, and how many changes had been asked for before it."""

    kind: Kind
    text: str
    asked: float
    changes: int
    change: Change | None = None


class Conversation:
    """What one attachment knows; ``write`` takes whole lines and must not block.

    ``foreign`` are the neighbors only ExaBGP knows, ``absent`` those only we know.
    """

    def __init__(
        self,
        sessions: Mapping[str, Neighbor],
        write: Callable[[str], None],
        now: float,
        *,
        says_end: bool = False,
    ) -> None:
        """``says_end``: with graceful restart, the end of each table is left to us to say."""
        self.ready = False
        self.absent: frozenset[str] = frozenset()
        self.foreign: frozenset[str] = frozenset()
        self.lines: dict[str, Line] = {address: Line() for address in sessions}
        self.rib: Rib = {}
        self._write = write
        self._wanted: Rib | None = None
        self._open: deque[Open] = deque()
        self._answering_us = False
        self._rows: dict[str, dict[str, Path]] = {}
        self._changes = 0
        self._audited = self._ticked = self._asked = now
        self._most = {address: each.most for address, each in sessions.items()}
        self._flight = InFlight()
        self._unended = set(sessions) if says_end else set()
        self._says_end = says_end
        self._behind: dict[str, float] = {}
        write(ENABLE_ANSWERS + "\n")
        self._ask([(Kind.SESSIONS, SHOW_SESSIONS)], now)

    def want(self, wanted: Rib | None, now: float) -> None:
        """From now on ExaBGP shall hold exactly this; none lets it keep what it has."""
        self._wanted = wanted
        if self.ready:
            self._settle(now)

    def hear(self, text: str, now: float) -> None:
        """Takes in one line.

        Raises:
            LostThread: it does not fit.
        """
        match said := understand(text):
            case Ignored():
                return
            case Negotiated() | Up() | Down() | Sent():
                self._happened(said, now)
            case Unknown():
                if self._answering_us:
                    raise LostThread(f"a line that means nothing: {text[:200]!r}")
            case Done() | Failed() | Sessions() | RibRow():
                self._answered(said, now)
            case never:
                assert_never(never)

    def tick(self, now: float) -> None:
        """Looks at the clock; to be called about once a second.

        Raises:
            LostThread: an answer is overdue.
        """
        self._flight.expire(now)
        self._forgive_standstill(now)
        if self._open:
            oldest = self._open[0]
            if now - oldest.asked > ANSWER_WITHIN:
                raise Stuck(f"no answer within {ANSWER_WITHIN:g} s to {oldest.text[:80]!r}")
            return
        self._settle(now)
        if now - self._audited >= AUDIT:
            self._audited = now
            self._ask([(Kind.SESSIONS, SHOW_SESSIONS), (Kind.RIB, SHOW_RIB)], now)
        self._have_sent_again(list(self._overdue(now)), now)
        if self._unended:
            self._end_tables(now)
        if now - self._asked >= PING:
            self._ask([(Kind.PING, ENABLE_ANSWERS)], now)

    def _forgive_standstill(self, now: float) -> None:
        gap, self._ticked = now - self._ticked, now
        if gap > STOOD_STILL:
            replace = msgspec.structs.replace
            self._open = deque(replace(each, asked=each.asked + gap) for each in self._open)

    def _happened(self, event: Negotiated | Up | Down | Sent, now: float) -> None:
        neighbor = event.neighbor
        line = self.lines.get(neighbor)
        if line is None:
            return
        self.lines[neighbor] = fold(line, event)
        if neighbor in self._behind:
            self._behind[neighbor] = max(self._behind[neighbor], now)
        landed = False
        match event:
            case Sent(advertised=advertised, withdrawn=withdrawn):
                landed = self._flight.echoed(neighbor, advertised, withdrawn)
            case Down():
                landed = self._flight.down(neighbor)
            case Up() if self._says_end:
                self._unended.add(neighbor)
        self._go_on(now, landed=landed)

    def _answered(self, said: Done | Failed | Sessions | RibRow, now: float) -> None:
        self._answering_us |= isinstance(said, Sessions)
        if not self._answering_us:
            return
        if not self._open:
            raise LostThread(f"{type(said).__name__}, but nothing was asked")
        oldest = self._open[0]
        match said, oldest.kind:
            case Done(), _:
                self._open.popleft()
                self._done(oldest, now)
            case Failed(), Kind.SEND_AGAIN | Kind.END_OF_RIB:
                self._open.popleft()  # the session went down meanwhile
            case Sessions(rows), Kind.SESSIONS:
                self._compare_sessions(rows)
            case RibRow(neighbor, prefix, path), Kind.RIB if neighbor in self.lines:
                self._rows.setdefault(neighbor, {})[prefix] = path
            case RibRow(), Kind.RIB:
                pass
            case _:
                raise LostThread(f"{type(said).__name__} to {oldest.text[:200]!r}")

    def _done(self, command: Open, now: float) -> None:
        if command.change is not None:
            line = self.lines[command.change.neighbor]
            unsendable = [each for each in command.change.prefixes if not line.carries(each)]
            landed = self._flight.answered(command.change.neighbor, unsendable)
            self._go_on(now, landed=landed)
        elif command.kind is Kind.SESSIONS and not self.ready:
            self._ask([(Kind.RIB, SHOW_RIB)], now)
        elif command.kind is Kind.RIB:
            rows, self._rows = self._rows, {}
            if not self.ready:
                self._begin(rows, now)
            elif command.changes == self._changes and diff(self.rib, rows):
                log.warning("adj-rib-out differs", changes=len(diff(self.rib, rows)))
                self.rib = rows

    def _begin(self, rows: Rib, now: float) -> None:
        self.rib, self.ready = rows, True
        self._settle(now)
        unheard = [
            each for each, line in self.lines.items() if line.established and rows.get(each)
        ]
        self._have_sent_again(unheard, now)
        if self._unended:
            self._end_tables(now)

    def _compare_sessions(self, rows: tuple[SessionRow, ...]) -> None:
        seen = {row.neighbor: found(row) for row in rows}
        self.absent = frozenset(self.lines) - frozenset(seen)
        self.foreign = frozenset(seen) - frozenset(self.lines)
        if not seen:
            raise Stuck("exabgp runs without any neighbor")
        for address in self.lines:
            fresh = seen.get(address, Line())
            if not self.ready:
                self.lines[address] = fresh
            elif _differ(fresh, self.lines[address]):
                raise LostThread(f"missed that {address} went up or down, or what it negotiated")

    def _go_on(self, now: float, *, landed: bool) -> None:
        """After something was sent: what had to wait for it, and the end of the table."""
        if landed:
            self._settle(now)
        if self._unended:
            self._end_tables(now)

    def _settle(self, now: float) -> None:
        if self._wanted is None or not self.ready:
            return
        wanted = {each: paths for each, paths in self._wanted.items() if each not in self.absent}
        allowed = self._flight.holding(wanted, self.rib)
        allowed = within(allowed, self.rib, self._flight.going(), self._most)
        if changes := diff(allowed, self.rib):
            self.rib = applied(self.rib, changes)
            self._changes += len(changes)
            self._flight.said(changes, now)
            self._write("".join(f"{command(each)}\n" for each in changes))
            self._open.extend(
                Open(Kind.CHANGE, command(each), now, self._changes, each) for each in changes
            )
            self._ask([(Kind.RIB, SHOW_RIB)], now)

    def _end_tables(self, now: float) -> None:
        """Says the end of every table that is as wanted and has been sent whole."""
        if self._wanted is None or not self.ready:
            return
        for address in sorted(self._unended):
            line, held = self.lines[address], self.rib.get(address, {})
            whole = line.established and line.wire == _due(line, held)
            if whole and line.families and dict(held) == dict(self._wanted.get(address, {})):
                self._unended.discard(address)
                self._ask([(Kind.END_OF_RIB, end_of_rib(address, line.families[0]))], now)

    def _overdue(self, now: float) -> Iterator[str]:
        """Sessions that have long had routes to send, or to withdraw, and did not."""
        for address, line in self.lines.items():
            due = _due(line, self.rib.get(address, {}))
            if not line.established or line.wire == due:
                self._behind.pop(address, None)
            elif now - self._behind.setdefault(address, now) >= PATIENCE:
                self._behind[address] = now + AUDIT
                yield address

    def _have_sent_again(self, addresses: list[str], now: float) -> None:
        if addresses:
            log.info("sending again", neighbors=addresses)
            self._ask([(Kind.SEND_AGAIN, send_again(each)) for each in addresses], now)

    def _ask(self, commands: list[tuple[Kind, str]], now: float) -> None:
        self._asked = now
        self._write("".join(f"{text}\n" for _, text in commands))
        self._open.extend(Open(kind, text, now, self._changes) for kind, text in commands)


def _due(line: Line, held: Mapping[str, Path]) -> dict[str, Path]:
    """What of ``held`` the neighbor has to be sent."""
    return {prefix: path for prefix, path in held.items() if line.carries(prefix)}


def _differ(fresh: Line, ours: Line) -> bool:
    if not fresh.established:
        return ours.established
    return (fresh.established, fresh.families) != (ours.established, ours.families)
