"""The watcher's sockets: one per family, each on its own.

A host whose kernel lacks a family, or has no socket to spare, goes on watching in the other; what
is missing is tried again every ``RETRY`` seconds and said once. In a family without a socket
nothing is asked, so nothing is seen in it, and who sees nobody in a family has no vote in it.
Addresses are another matter: sockets are bound to none, so one that is not there yet, or was
removed, costs the probes that should leave from it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from agents.watch.wires import Wire
from ambicast.model.identifiers import Family

RETRY = 1.0

Open = Callable[[Family], Wire]

log = structlog.get_logger()


class Sockets:
    """Has the sockets of ``families``, as far as they can be had."""

    def __init__(self, families: Iterable[Family], open_one: Open) -> None:
        self._missing = dict.fromkeys(families, "")
        self._open = open_one
        self._wires: dict[Family, Wire] = {}
        self._retry_at = float("-inf")

    def __call__(self, now: float) -> tuple[Wire, ...]:
        """Those that are open; what is missing is tried when it is time to."""
        if self._missing and now >= self._retry_at:
            self._retry_at = now + RETRY
            for family in tuple(self._missing):
                self._try(family)
        return tuple(self._wires.values())

    def of(self, family: Family) -> Wire | None:
        """The socket of a family, if it is open."""
        return self._wires.get(family)

    def close(self) -> None:
        """Give up all of them; they can be had again."""
        for family, wire in self._wires.items():
            wire.close()
            self._missing[family] = ""
        self._wires = {}
        self._retry_at = float("-inf")

    def _try(self, family: Family) -> None:
        said = self._missing[family]
        try:
            self._wires[family] = self._open(family)
        except OSError as fault:
            if str(fault) != said:
                self._missing[family] = str(fault)
                log.error("not watching in a family", family=family, reason=str(fault))
            return
        del self._missing[family]
        if said:
            log.info("watching in the family again", family=family)
