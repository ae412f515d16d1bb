"""Services' failures on disk: a restart of the agent is no pardon for a service that flaps.

One small file, replaced by renaming. A file that cannot be read or written costs the memory of
the failures and nothing else, and is said once per failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from agents.advertising.hold_down import Falls

log = structlog.get_logger()

_Record = dict[str, Falls]


class FallStorage:
    """The file ``falls.json`` of one folder; instants are seconds since the Unix epoch."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "falls.json"

    def read(self) -> Mapping[str, Falls]:
        """What an earlier run left; nothing where that cannot be understood."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Record)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as fault:
            log.warning("failures forgotten", file=str(self._file), why=str(fault))
            return {}

    def keep(self, falls: Mapping[str, Falls]) -> None:
        """Keep the whole record."""
        draft = self._file.with_suffix(".draft")
        try:
            draft.write_bytes(msgspec.json.encode(falls))
            draft.replace(self._file)
        except OSError as fault:
            log.warning("failures not kept", file=str(self._file), why=str(fault))
