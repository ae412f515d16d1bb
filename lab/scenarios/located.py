"""YAML that remembers its lines, so that a fault can say where it is.

Every scalar stays the text that stands in the file: YAML's own guesses would make `off` a boolean
and `1_000` a number, and a scenario means neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec
import yaml


class ScenarioError(Exception):
    """A fault in a scenario file: where, what, and what is allowed there."""

    def __init__(self, where: str, what: str, allowed: str | Iterable[str] = ()) -> None:
        words = allowed if isinstance(allowed, str) else ", ".join(allowed)
        super().__init__(f"{where}: {what}" + (f"; allowed: {words}" if words else ""))


class Located(msgspec.Struct, frozen=True):
    """A value with its place.

    Attributes:
        value: text of a scalar, a tuple of a sequence, a dict of a mapping.
        where: ``file:line``.
    """

    value: str | tuple[Located, ...] | dict[str, Located]
    where: str

    def fault(self, what: str, allowed: str | Iterable[str] = ()) -> ScenarioError:
        """The error that names this place."""
        return ScenarioError(self.where, what, allowed)

    def text(self, what: str) -> str:
        """This scalar's text; `what` names it where it is none."""
        if isinstance(self.value, str):
            return self.value
        raise self.fault(f"{what} must be a single value")

    def entries(self, what: str) -> tuple[Located, ...]:
        """This sequence's members."""
        if isinstance(self.value, tuple):
            return self.value
        raise self.fault(f"{what} must be a list")

    def fields(
        self, what: str, allowed: Collection[str] | None = None, needed: Collection[str] = ()
    ) -> dict[str, Located]:
        """This mapping's fields; keys outside `allowed` and missing `needed` ones are faults."""
        if not isinstance(self.value, dict):
            raise self.fault(f"{what} must be a mapping")
        for key, field in self.value.items():
            if allowed is not None and key not in allowed:
                raise field.fault(f"{what}: unknown key {key!r}", allowed)
        for key in needed:
            if key not in self.value:
                raise self.fault(f"{what}: {key!r} is missing")
        return self.value

    def word(self, what: str, allowed: Collection[str]) -> str:
        """This scalar, one of the `allowed` words."""
        text = self.text(what)
        if text not in allowed:
            raise self.fault(f"{what}: unknown word {text!r}", allowed)
        return text


def read_located(path: Path) -> Located:
    """The document in `path`.

    Raises:
        ScenarioError: unreadable, or not YAML; names file and line.
    """
    try:
        return parse_located(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as fault:
        raise ScenarioError(str(path), f"cannot be read: {fault}") from None


def parse_located(text: str, name: str) -> Located:
    """The document in `text`; `name` is the file's."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise ScenarioError(f"{name}:{line}", f"is not YAML: {fault.problem}") from None
    except yaml.YAMLError as fault:
        raise ScenarioError(name, f"is not YAML: {fault}") from None
    if node is None:
        raise ScenarioError(f"{name}:1", "is empty")
    return _located(node, name)


def _located(node: yaml.Node, name: str) -> Located:
    where = f"{name}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.ScalarNode):
        return Located(str(node.value), where)
    if isinstance(node, yaml.SequenceNode):
        return Located(tuple(_located(each, name) for each in node.value), where)
    if isinstance(node, yaml.MappingNode):
        return Located(_fields(node, name), where)
    raise ScenarioError(where, "is no value")


def _fields(node: yaml.MappingNode, name: str) -> dict[str, Located]:
    fields: dict[str, Located] = {}
    for key, value in node.value:
        where = f"{name}:{key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            raise ScenarioError(where, "a key must be a single word")
        if key.value in fields:
            raise ScenarioError(where, f"key {key.value!r} stands twice")
        fields[key.value] = msgspec.structs.replace(_located(value, name), where=where)
    return fields
