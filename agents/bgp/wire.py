"""What each session has been sent: the fold of ExaBGP's events.

``done`` proves nothing: a route for a session that is down, or for a family it did not negotiate,
is taken in and never sent. On the wire is what was echoed as an UPDATE since the session came up,
on a session that negotiated the family. A session that goes down takes its routes with it: the
neighbor drops them (RFC 4271 section 6.7), and when it comes back ExaBGP sends, and echoes, all
of its adj-rib-out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from agents.bgp.events import Down, Negotiated, Sent, SessionRow, Up
from agents.bgp.paths import Path
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import family


class Line(msgspec.Struct, frozen=True):
    """One session: its state, and what has been sent over it so far.

    Attributes:
        established: both sides may send UPDATEs.
        families: negotiated ones; empty until both OPENs were read.
        since: seconds since the Unix epoch; 0 where it came up before we looked.
        sent: prefix -> path, by the echoes of this session alone.
    """

    established: bool = False
    families: tuple[Family, ...] = ()
    since: float = 0.0
    sent: Mapping[str, Path] = {}

    @property
    def wire(self) -> Mapping[str, Path]:
        """What the neighbor has been sent, of the families it agreed to."""
        if not self.established:
            return {}
        return {
            prefix: path for prefix, path in self.sent.items() if family(prefix) in self.families
        }

    def carries(self, prefix: str) -> bool:
        """Whether a route for ``prefix`` can travel here now."""
        return self.established and family(prefix) in self.families


def found(row: SessionRow) -> Line:
    """A session as it is when we attach: what was sent over it before, we did not hear.

    One that is not up may have negotiated already; we would not hear of that again.
    """
    return Line(established=row.established, families=row.families)


def fold(line: Line, event: Negotiated | Up | Down | Sent) -> Line:
    """The session after ``event``."""
    match event:
        case Negotiated(families=families):
            return Line(families=families)
        case Up(at=at):
            return Line(established=True, families=line.families, since=at)
        case Down(at=at):
            return Line(since=at)
        case Sent(advertised=advertised, withdrawn=withdrawn):
            gone = frozenset(withdrawn)
            kept = {prefix: path for prefix, path in line.sent.items() if prefix not in gone}
            return msgspec.structs.replace(line, sent={**kept, **advertised})
        case never:
            assert_never(never)
