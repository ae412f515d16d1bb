"""Reads a containerlab file back: the part of its format that the namespace runner brings up.

Unknown words are refused, since a key that is silently ignored here and honoured by containerlab
would make two different labs of one file.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml


class ClabNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node as containerlab sees it."""

    kind: str
    image: str
    cmd: str
    binds: tuple[str, ...] = ()
    sysctls: dict[str, str] = {}
    exec: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class ClabLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two endpoints, `node:interface` each."""

    endpoints: tuple[str, str]
    vars: dict[str, str] = {}


class ClabTopology(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nodes and links."""

    nodes: dict[str, ClabNode]
    links: tuple[ClabLink, ...]


class ClabFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole containerlab file."""

    name: str
    topology: ClabTopology
    mgmt: dict[str, str] = {}


class UnreadableTopologyError(ValueError):
    """A containerlab file that the namespace runner cannot bring up."""


def read(path: Path) -> ClabFile:
    """Parse the containerlab file at `path`.

    Raises:
        UnreadableTopologyError: says where and what.
    """
    try:
        return msgspec.convert(yaml.safe_load(path.read_text()), ClabFile)
    except (yaml.YAMLError, msgspec.ValidationError) as fault:
        msg = f"{path}: {fault}"
        raise UnreadableTopologyError(msg) from fault
