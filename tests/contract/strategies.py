"""Any message of the contract, drawn from the types themselves: a new field is tested at once."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum

import msgspec
from hypothesis import strategies as st

from ambicast.contract.messages import Body

KINDS = sorted(Body.__subclasses__(), key=lambda kind: kind.__name__)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


def tag(kind) -> str:
    return str(kind.__struct_config__.tag)


def of(kind):
    """A strategy for values of one annotated type."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return of(arguments[0])
    if origin is tuple:
        return st.lists(of(arguments[0]), max_size=3).map(tuple)
    if origin in {dict, Mapping}:
        return st.dictionaries(of(arguments[0]), of(arguments[1]), max_size=3)
    if origin in {typing.Union, types.UnionType}:
        return st.one_of(*(of(each) for each in arguments))
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return st.builds(
        kind, **{field.name: of(field.type) for field in msgspec.structs.fields(kind)}
    )


SIMPLE = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(0, 2**32 - 1),
    float: st.floats(0, 2e9),
    type(None): st.none(),
}


def messages(kinds=KINDS):
    return st.one_of(*(of(kind) for kind in kinds))
