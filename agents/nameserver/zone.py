"""What we do with a zone over the control socket: read it, flip it, abort, reload."""

from __future__ import annotations

from pathlib import Path

from agents.answering.flips import Flip
from agents.answering.naming import absolute
from agents.answering.records import Records, RRset, keyed
from agents.nameserver.control import ControlRefusedError, conversation
from agents.nameserver.wire import Unit

_NO_TRANSACTION = "no active transaction"


class Zone:
    """One zone of the Knot behind ``socket``; every call is one conversation.

    All raise :class:`agents.nameserver.control.ControlError`; afterwards the state of the zone is
    unknown and must be read again.
    """

    def __init__(self, socket: Path, name: str, timeout: float = 2.0) -> None:
        self._socket = socket
        self._name = absolute(name)
        self._timeout = timeout
        self._clean = False

    async def open(self) -> Records:
        """Everything the zone holds; first aborts what we or a predecessor left unfinished."""
        async with conversation(self._socket, 5 * self._timeout) as knot:
            if not self._clean:
                (aborted,) = await knot.ask([self._unit("zone-abort")])
                if any(unit.get("error", _NO_TRANSACTION) != _NO_TRANSACTION for unit in aborted):
                    raise ControlRefusedError(aborted[0]["error"], aborted[0])
            (found,) = await knot.order([self._unit("zone-read")])
        self._clean = True
        sets: dict[tuple[str, str, int], list[str]] = {}
        for unit in found:
            key = (unit["owner"], unit["type"], int(unit["ttl"]))
            sets.setdefault(key, []).append(unit["data"])
        return keyed(
            RRset(owner, kind, ttl, tuple(sorted(data)))
            for (owner, kind, ttl), data in sets.items()
        )

    async def flip(self, change: Flip) -> None:
        """One transaction, all of it or nothing."""
        removals = [self._unit("zone-unset", owner=o, type=kind) for o, kind in change.remove]
        writings = [
            self._unit("zone-set", owner=each.owner, ttl=str(each.ttl), type=each.type, data=data)
            for each in change.write
            for data in each.data
        ]
        parts = [part for part in ([self._unit("zone-begin")], removals, writings) if part]
        self._clean = False
        async with conversation(self._socket, self._timeout) as knot:
            try:
                await knot.order(*parts)
            except ControlRefusedError:
                await knot.ask([self._unit("zone-abort")])
                raise
            await knot.order([self._unit("zone-commit")])
        self._clean = True

    async def reload(self) -> None:
        """Loads configuration and client map anew; an invalid one leaves the old in place."""
        async with conversation(self._socket, 5 * self._timeout) as knot:
            await knot.order([{"command": "reload"}])

    def _unit(self, command: str, **fields: str) -> Unit:
        return {"command": command, "zone": self._name, **fields}
