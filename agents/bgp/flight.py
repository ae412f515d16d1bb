"""Changes that are under way: said to ExaBGP, and not seen to be sent yet.

ExaBGP sorts what waits by attributes, not by time: of two changes of one prefix that it takes in
within one turn (10 ms) the older may be sent last, and the neighbor loses a route that is held. So
a prefix whose change is under way is left alone until that change was echoed, or answered where
nothing can be sent (session down, family not negotiated). That takes 2 to 5 ms, and delays nothing
but this very prefix on this very session.

Some changes have no echo (a withdrawal of what was never sent); after :data:`LONGEST` seconds
nobody waits for them any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from agents.bgp.difference import Advertise, Change, Rib
from agents.bgp.paths import Path

LONGEST = 1.0


class _Flight(msgspec.Struct, frozen=True):
    path: Path | None
    until: float


class InFlight:
    """The changes under way, by session and prefix."""

    def __init__(self) -> None:
        self._flights: dict[tuple[str, str], _Flight] = {}

    def said(self, changes: Iterable[Change], now: float) -> None:
        """These were just written to ExaBGP."""
        for change in changes:
            path = change.path if isinstance(change, Advertise) else None
            for prefix in change.prefixes:
                self._flights[change.neighbor, prefix] = _Flight(path, now + LONGEST)

    def echoed(
        self, neighbor: str, advertised: Mapping[str, Path], withdrawn: Iterable[str]
    ) -> bool:
        """An UPDATE was sent; whether anything has landed by it."""
        said = {**dict.fromkeys(withdrawn), **advertised}
        landed = [
            (neighbor, prefix)
            for prefix, path in said.items()
            if (flight := self._flights.get((neighbor, prefix))) and flight.path == path
        ]
        return self._land(landed)

    def answered(self, neighbor: str, unsendable: Iterable[str]) -> bool:
        """A change was taken in, of these prefixes that cannot be sent now; as :meth:`echoed`."""
        return self._land([(neighbor, prefix) for prefix in unsendable])

    def down(self, neighbor: str) -> bool:
        """The session is gone: what waited is sent in order when it is back; as :meth:`echoed`."""
        return self._land([key for key in self._flights if key[0] == neighbor])

    def expire(self, now: float) -> None:
        """Forgets what is overdue."""
        self._land([key for key, flight in self._flights.items() if flight.until <= now])

    def holding(self, wanted: Rib, rib: Rib) -> Rib:
        """``wanted``, less the changes that have to wait: those prefixes as they are held."""
        if not self._flights:
            return wanted
        held = {neighbor: dict(paths) for neighbor, paths in wanted.items()}
        for neighbor, prefix in self._flights:
            paths = held.setdefault(neighbor, {})
            path = rib.get(neighbor, {}).get(prefix)
            if path is None:
                paths.pop(prefix, None)
            else:
                paths[prefix] = path
        return held

    def going(self) -> dict[str, set[str]]:
        """The prefixes of which a neighbor may not have seen the withdrawal yet, by session."""
        found: dict[str, set[str]] = {}
        for (neighbor, prefix), flight in self._flights.items():
            if flight.path is None:
                found.setdefault(neighbor, set()).add(prefix)
        return found

    def _land(self, keys: Iterable[tuple[str, str]]) -> bool:
        found = [key for key in keys if key in self._flights]
        for key in found:
            del self._flights[key]
        return bool(found)
