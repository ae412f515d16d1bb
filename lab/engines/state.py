"""What is known of a lab that is up, on disk, so that any process can take hold of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from lab.engines.faults import LabError
from lab.topology.shapes import Topology

ROOT: Final = Path("/run/ambicast-lab")


class Management(msgspec.Struct, frozen=True):
    """The way from the root namespace to the controller's node."""

    interface: str
    root: str
    node: str


class State(msgspec.Struct, kw_only=True):
    """A lab as its runner left it.

    Attributes:
        nodes: node -> process id of its init, as seen from outside.
        keepers: node -> process id of what holds its namespaces together.
        relay: process id of the relay.
        relayed: ends (`node:interface`) of the links that it carries.
    """

    name: str
    engine: str
    directory: str
    delay: str
    topology: Topology
    nodes: dict[str, int] = {}
    keepers: dict[str, int] = {}
    relay: int | None = None
    relayed: tuple[str, ...] = ()
    management: Management | None = None

    def save(self) -> None:
        """Write it, whole or not at all."""
        path = state_file(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self))
        fresh.rename(path)


def state_file(name: str) -> Path:
    """Where the state of lab `name` is kept."""
    return ROOT / name / "state.json"


def load(name: str) -> State:
    """The state of lab `name`.

    Raises:
        LabError: no such lab, or its state cannot be read.
    """
    try:
        return msgspec.json.decode(state_file(name).read_bytes(), type=State)
    except FileNotFoundError:
        up = ", ".join(known()) or "none"
        msg = f"no lab {name!r} is up; labs that are up: {up}"
        raise LabError(msg) from None
    except msgspec.ValidationError as fault:
        msg = f"{state_file(name)}: {fault}"
        raise LabError(msg) from fault


def known() -> list[str]:
    """Names of all labs with a state on disk."""
    return sorted(path.parent.name for path in ROOT.glob("*/state.json"))
