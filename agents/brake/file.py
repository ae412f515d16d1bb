"""The brake on disk: what an operator asked for holds over restarts until it is released.

The file is the level: whoever wants to know looks at it, and a command that comes twice is one
command. It is replaced by renaming, so a reader sees the old one or the new one. Its owner becomes
that of the folder, because the command is typed by root and read by the agent's own user.

Beside a HOLD lies what it froze (``frozen.json``): after a boot ExaBGP knows nothing, and to hold
that would be a dark PoP. It lies there for as long as that HOLD is in force, whatever its reason.

A file that cannot be understood holds what is on the wire: somebody wanted *something*, and to
change nothing is the one answer that cannot make it worse.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from ambicast.contract.messages import Brake, BrakeKind
from ambicast.model.routes import Advertisement

NAME = "brake.json"
FROZEN = "frozen.json"

log = structlog.get_logger()


class BrakeFile:
    """``brake.json`` in the folder the agent keeps its state in."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self._frozen = directory / FROZEN

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
        before = self.read() if brake is not None and brake.kind is BrakeKind.HOLD else None
        if before is None or before.kind is not BrakeKind.HOLD:
            self._frozen.unlink(missing_ok=True)
        if brake is None:
            self.path.unlink(missing_ok=True)
        else:
            _put(self.path, msgspec.json.encode(brake))

    def frozen(self) -> frozenset[Advertisement] | None:
        """What the HOLD in force froze; none where nobody has said."""
        try:
            return msgspec.json.decode(self._frozen.read_bytes(), type=frozenset[Advertisement])
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as fault:
            log.warning("what was held is unreadable", file=str(self._frozen), why=str(fault))
            return None

    def freeze(self, advertisements: frozenset[Advertisement]) -> None:
        """Keeps what a HOLD froze, over restarts and boots.

        Raises:
            OSError: it cannot be written.
        """
        ordered = sorted(advertisements, key=lambda each: (each.prefix, each.uplink))
        _put(self._frozen, msgspec.json.encode(ordered))

    def trace(self) -> tuple[int, int] | None:
        """What changes whenever the file does: looking at it is cheaper than reading it."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def _put(path: Path, text: bytes) -> None:
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(text + b"\n")
    owner = folder.stat()
    if os.geteuid() == 0:
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(path)
