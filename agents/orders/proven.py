"""Uplinks that have worked, on disk: one that is silent when the agent starts is known to be able.

Kept with the addresses it worked with: an uplink that was given others since (or wrong ones) has
to prove itself anew. One small file, replaced by renaming, written when an uplink works for the
first time. Where it cannot be read or written an uplink proves itself in each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog

from agents.advertising.scene import Way
from ambicast.model.identifiers import Family
from ambicast.model.pops import Pop

log = structlog.get_logger()


class _Proof(msgspec.Struct, frozen=True, order=True):
    """An uplink, a family, and the addresses it worked with."""

    uplink: str
    family: Family
    identity: str
    neighbor: str


class ProvenStorage:
    """The file ``proven.json`` of one folder; ``pop`` as this host reaches its uplinks."""

    def __init__(self, directory: Path, pop: Pop) -> None:
        self._file = directory / "proven.json"
        self._pop = pop

    def read(self) -> frozenset[Way]:
        """The ways that have worked with the addresses they have now."""
        try:
            known = set(msgspec.json.decode(self._file.read_bytes(), type=list[_Proof]))
        except FileNotFoundError:
            return frozenset()
        except (OSError, msgspec.DecodeError) as fault:
            log.warning("proven uplinks forgotten", file=str(self._file), why=str(fault))
            return frozenset()
        return frozenset((each.uplink, each.family) for each in self._proofs() if each in known)

    def keep(self, proven: frozenset[Way]) -> None:
        """Keep the whole set."""
        draft = self._file.with_suffix(".draft")
        proofs = [each for each in self._proofs() if (each.uplink, each.family) in proven]
        try:
            draft.write_bytes(msgspec.json.encode(sorted(proofs)))
            draft.replace(self._file)
        except OSError as fault:
            log.warning("proven uplinks not kept", file=str(self._file), why=str(fault))

    def _proofs(self) -> Iterator[_Proof]:
        for name, uplink in self._pop.uplinks.items():
            for kind in uplink.families:
                if kind in uplink.identity:
                    yield _Proof(name, kind, uplink.identity[kind], uplink.neighbor[kind])
