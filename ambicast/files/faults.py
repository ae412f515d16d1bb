"""What is wrong with a file, said so that it can be put right without a second look.

Every fault says where it is, what was found and what is allowed. All of a file's faults are
collected before anyone is told: a list is mended in one sitting, an exception at a time is not.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

Step = str | int
Path = tuple[Step, ...]


class Severity(StrEnum):
    """An error keeps the file from being used; a warning names what will work less well."""

    ERROR = "error"
    WARNING = "warning"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault; ``line`` counts from 1, ``path`` is dotted (``pops.ams.uplinks.north``)."""

    file: str
    line: int
    path: str
    found: str
    allowed: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path}: found {self.found}; allowed {self.allowed}"


class FleetFileError(ValueError):
    """The fleet file cannot be used; ``faults`` names every fault of severity error."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def spell(path: Path) -> str:
    """The dotted form of a path, with list positions in brackets: ``services.www.checks[0]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text or "(the whole file)"


def quote(text: str) -> str:
    """``text`` in quotes, cut where it is too long to be read."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
