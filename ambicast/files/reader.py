"""Reads a YAML tree into raw structs by their types, and collects every fault on the way.

A library's converter stops at the first fault and knows no lines, so the types are walked here:
one small reader per kind of type. A value that cannot be read is ``BROKEN``; what contains it is
broken too, but its neighbors are still read, so that all faults are found in one pass. Scalars
are taken as the text that was written: ``country: NO`` is Norway, and ``64601:1`` is no number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import msgspec.inspect as kinds
import yaml

from ambicast.files.document import Document
from ambicast.files.faults import Path, quote
from ambicast.files.forms import FORMS

BROKEN: Final = object()

_NULL = "tag:yaml.org,2002:null"
_TEXT = "tag:yaml.org,2002:str"
_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"[-+]?\d{1,18}(\.\d+)?")


def read(document: Document, node: yaml.Node, shape: type[msgspec.Struct]) -> Any:
    """``node`` as a ``shape``, or ``BROKEN``; faults and valid values go to ``document``."""
    return _read(document, node, kinds.type_info(shape), ())


def _read(document: Document, node: yaml.Node, kind: kinds.Type, path: Path) -> Any:
    match kind:
        case kinds.Metadata(extra={"form": str(form)}):
            return _form(document, node, form, path)
        case kinds.Metadata(type=inner):
            return _read(document, node, inner, path)
        case kinds.UnionType(types=types):
            return _read(document, node, _present(types), path)
        case kinds.IntType() | kinds.FloatType():
            return _number(document, node, kind, path)
        case kinds.EnumType(cls=cls):
            return _word(document, node, tuple(cls), path)
        case kinds.VarTupleType():
            return _list(document, node, kind, path)
        case kinds.DictType():
            return _named(document, node, kind, path)
        case kinds.StructType():
            return _struct(document, node, kind, path)
        case _:
            message = f"no reader for {kind}"
            raise NotImplementedError(message)


def _present(types: tuple[kinds.Type, ...]) -> kinds.Type:
    """The one type besides None: an optional field is left out, never written as null."""
    (only,) = (each for each in types if not isinstance(each, kinds.NoneType))
    return only


def _scalar(document: Document, node: yaml.Node, allowed: str, path: Path) -> str | None:
    if isinstance(node, yaml.ScalarNode) and node.tag != _NULL:
        return str(node.value)
    document.add(_line(node), path, describe(node), allowed)
    return None


def _form(document: Document, node: yaml.Node, form: str, path: Path) -> Any:
    rule = FORMS[form]
    text = _scalar(document, node, rule.allowed, path)
    if text is None:
        return BROKEN
    try:
        value = rule.parse(text)
    except ValueError:
        document.add(_line(node), path, quote(text), rule.allowed)
        return BROKEN
    document.note(path, _line(node), value)
    return value


def _number(
    document: Document, node: yaml.Node, kind: kinds.IntType | kinds.FloatType, path: Path
) -> Any:
    whole = isinstance(kind, kinds.IntType)
    low, high = kind.ge, kind.le
    allowed = f"a {'whole ' if whole else ''}number" + _bounds(low, high)
    text = _scalar(document, node, allowed, path)
    if text is None:
        return BROKEN
    shape = _INTEGER if whole else _DECIMAL
    if node.tag != _TEXT and shape.fullmatch(text):
        value = int(text) if whole else float(text)
        if (-math.inf if low is None else low) <= value <= (math.inf if high is None else high):
            document.note(path, _line(node), value)
            return value
    document.add(_line(node), path, quote(text) if node.tag == _TEXT else text, allowed)
    return BROKEN


def _bounds(low: float | None, high: float | None) -> str:
    if high is None:
        return "" if low is None else f" of at least {low:g}"
    return f" from {low:g} to {high:.10g}"


def _word(document: Document, node: yaml.Node, words: tuple[Any, ...], path: Path) -> Any:
    allowed = "one of " + ", ".join(sorted(str(word) for word in words))
    text = _scalar(document, node, allowed, path)
    for word in words:
        if text == str(word):
            document.note(path, _line(node), word)
            return word
    if text is not None:
        document.add(_line(node), path, quote(text), allowed)
    return BROKEN


def _list(document: Document, node: yaml.Node, kind: kinds.VarTupleType, path: Path) -> Any:
    if not isinstance(node, yaml.SequenceNode):
        document.add(_line(node), path, describe(node), "a list")
        return BROKEN
    if len(node.value) < (kind.min_length or 0):
        document.add(_line(node), path, "an empty list", "at least one entry")
        return BROKEN
    document.note(path, _line(node), len(node.value))
    items = [
        _read(document, item, kind.item_type, (*path, at)) for at, item in enumerate(node.value)
    ]
    return BROKEN if BROKEN in items else tuple(items)


def _named(document: Document, node: yaml.Node, kind: kinds.DictType, path: Path) -> Any:
    """A mapping whose keys are the operator's own names."""
    entries = list(_entries(document, node, path))
    if not isinstance(node, yaml.MappingNode):
        return BROKEN
    if len(entries) < (kind.min_length or 0):
        document.add(_line(node), path, "nothing in it", "at least one entry")
    document.note(path, _line(node), tuple(key for key, _, _ in entries))
    found: dict[str, Any] = {}
    for key, line, value in entries:
        form = _form_of(kind.key_type)
        try:
            name = FORMS[form].parse(key)
        except ValueError:
            document.add(line, path, f"the key {quote(key)}", FORMS[form].allowed)
            name = key
            found[name] = BROKEN
        inner = _read(document, value, kind.value_type, (*path, name))
        found.setdefault(name, inner)
    broken = len(entries) < (kind.min_length or 0) or len(found) < len(node.value)
    return BROKEN if broken or BROKEN in found.values() else found


def _form_of(kind: kinds.Type) -> str:
    match kind:
        case kinds.Metadata(extra={"form": str(form)}):
            return form
        case _:
            message = f"keys need a form, not {kind}"
            raise NotImplementedError(message)


def _struct(document: Document, node: yaml.Node, kind: kinds.StructType, path: Path) -> Any:
    entries = {key: (line, value) for key, line, value in _entries(document, node, path)}
    if not isinstance(node, yaml.MappingNode):
        return BROKEN
    document.note(path, _line(node), tuple(entries))
    fields = {field.encode_name: field for field in kind.fields}
    broken = len(entries) < len(node.value)
    for key, (line, _) in entries.items():
        if key not in fields:
            allowed = "one of " + ", ".join(sorted(fields))
            document.add(line, (*path, key), f"the unknown key {quote(key)}", allowed)
            broken = True
    read: dict[str, Any] = {}
    for key, field in fields.items():
        if key in entries:
            read[key] = _read(document, entries[key][1], field.type, (*path, key))
        elif field.required:
            document.add(_line(node), (*path, key), "nothing", _wanted(field.type))
            broken = True
    return BROKEN if broken or BROKEN in read.values() else kind.cls(**read)


def _entries(
    document: Document, node: yaml.Node, path: Path
) -> Iterator[tuple[str, int, yaml.Node]]:
    """Key, line of the key, value; faults where this is no mapping or a key comes twice."""
    if not isinstance(node, yaml.MappingNode):
        document.add(_line(node), path, describe(node), "a mapping")
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            document.add(_line(key), path, f"{describe(key)} as a key", "a name as a key")
            continue
        name = str(key.value)
        if name in seen:
            found = f"the key a second time (first in line {seen[name]})"
            document.add(_line(key), (*path, name), found, "each key once")
            continue
        seen[name] = _line(key)
        yield name, _line(key), value


def _wanted(kind: kinds.Type) -> str:
    match kind:
        case kinds.Metadata(extra={"form": str(form)}):
            return FORMS[form].allowed
        case kinds.Metadata(type=inner):
            return _wanted(inner)
        case kinds.IntType() | kinds.FloatType():
            return "a number"
        case kinds.VarTupleType():
            return "a list"
        case kinds.EnumType(cls=cls):
            return "one of " + ", ".join(sorted(str(word) for word in cls))
        case _:
            return "a mapping"


def describe(node: yaml.Node) -> str:
    """What stands there, in a word for people."""
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case yaml.ScalarNode(tag=tag) if tag == _NULL:
            return "nothing"
        case _:
            return quote(str(node.value))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
