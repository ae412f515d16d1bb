"""A YAML file as a tree that remembers lines, and a flat index of the values that were valid.

The index is what cross-references are checked on: a broken capacity in one place does not keep
the fleet from hearing about an unknown provider in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import yaml

from ambicast.files.faults import Fault, Path, Severity, Step, spell

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Any_(msgspec.Struct, frozen=True):  # noqa: N801 - a wildcard beside typing.Any
    """Matches every step of a path."""


ANY: Final = Any_()
Pattern = Step | Any_


class Found(msgspec.Struct, frozen=True):
    """A valid value, or the keys of a mapping, and where it stands."""

    path: Path
    line: int
    value: Any


class Document:
    """One file's valid values by path, and the faults found in it so far."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self._values: dict[Path, Found] = {}
        self._below: dict[Path, dict[Step, None]] = {}

    def note(self, path: Path, line: int, value: Any) -> None:
        """Remembers a valid value."""
        self._values[path] = Found(path, line, value)
        for depth in range(len(path), 0, -1):
            siblings = self._below.setdefault(path[: depth - 1], {})
            if path[depth - 1] in siblings:
                break
            siblings[path[depth - 1]] = None

    def get(self, *path: Step) -> Found | None:
        """The valid value at ``path``, or none."""
        return self._values.get(path)

    def find(self, *pattern: Pattern) -> Iterator[Found]:
        """Valid values whose path matches, in the order of the file."""
        for path in self._matching((), pattern):
            found = self._values.get(path)
            if found is not None:
                yield found

    def _matching(self, start: Path, pattern: tuple[Pattern, ...]) -> Iterator[Path]:
        if not pattern:
            yield start
            return
        below = self._below.get(start, {})
        want = pattern[0]
        steps = below if isinstance(want, Any_) else (want,) if want in below else ()
        for step in steps:
            yield from self._matching((*start, step), pattern[1:])

    def names(self, *path: Step) -> tuple[str, ...]:
        """Every key of the mapping at ``path``, also those whose values have faults."""
        found = self._values.get(path)
        return found.value if found else ()

    def fault(
        self, at: Found, found: str, allowed: str, severity: Severity = Severity.ERROR
    ) -> None:
        """Adds a fault at a value."""
        self.add(at.line, at.path, found, allowed, severity)

    def add(
        self,
        line: int,
        path: Path,
        found: str,
        allowed: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Adds a fault at a line."""
        self.faults.append(
            Fault(
                file=self.file,
                line=line,
                path=spell(path),
                found=found,
                allowed=allowed,
                severity=severity,
            )
        )


def compose(document: Document, text: str) -> yaml.Node | None:
    """The YAML tree of ``text``; where there is none, says why in ``document``."""
    try:
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = mark.line + 1 if mark else 1
        why = ": ".join(part for part in (fault.context, fault.problem) if part)
        document.add(line, (), f"text that is not YAML ({why})", "one YAML document")
        return None
    except (yaml.YAMLError, RecursionError) as fault:
        why = " ".join(str(fault).split()) or "nested too deeply"
        document.add(1, (), f"text that is not YAML ({why})", "one YAML document")
        return None
    if node is None:
        document.add(1, (), "nothing", "a mapping")
    return node
