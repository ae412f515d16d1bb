"""The brake on disk: what an operator asked for holds over restarts until it is released.

The file is the level: whoever wants to know looks at it, and a command that comes twice is one
command. It is replaced by renaming, so a reader sees the old one or the new one. Its owner becomes
that of the folder, because the command is typed by root and read by the agent's own user.

A file that cannot be understood holds what is on the wire: somebody wanted *something*, and to
change nothing is the one answer that cannot make it worse.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from ambicast.contract.messages import Brake, BrakeKind

NAME = "brake.json"

log = structlog.get_logger()


class BrakeFile:
    """``brake.json`` in the folder the agent keeps its state in."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME

    def read(self) -> Brake | None:
        """The brake in force, or none."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Brake)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else str(fault)
            reason = f"{self.path} cannot be understood: {why}"
            log.error("brake unreadable, holding", file=str(self.path), why=why)
            return Brake(kind=BrakeKind.HOLD, reason=reason)

    def write(self, brake: Brake | None) -> None:
        """Puts the brake in force, or releases it.

        Raises:
            OSError: it cannot be written; what was in force still is.
        """
        if brake is None:
            self.path.unlink(missing_ok=True)
            return
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(brake) + b"\n")
        owner = folder.stat()
        if os.geteuid() == 0:
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(self.path)

    def trace(self) -> tuple[int, int] | None:
        """What changes whenever the file does: looking at it is cheaper than reading it."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns
