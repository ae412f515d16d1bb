"""The nouns of a lab: nodes, the programs inside them, and the links between them.

A topology is a value. It knows nothing of containers or namespaces: `rendering` writes it as a
containerlab file with the nodes' files beside it, and every engine brings up what was written.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["pop", "transit", "client", "controller"]
RouterChoice = Literal["bird", "frr", "mixed"]
RouterSoftware = Literal["bird", "frr"]
BfdChoice = Literal["off", "300ms"]  # how soon a neighbor's silence is noticed
PopPrograms = Literal["ambicast", "exabgp-healthcheck"]


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """One program that a node's starter runs.

    Attributes:
        name: unique in its node; names its log and its pid file.
        argv: command line; `argv[0]` is looked up on PATH.
        env: added to the starter's own environment.
        restart: start it again when it ends by itself.
        restart_after: seconds until then, at first; longer where it keeps failing.
        after: a path that must exist before the first start (a socket, mostly).
    """

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = {}
    restart: bool = True
    restart_after: float = 0.2
    after: str | None = None


class Address(msgspec.Struct, frozen=True):
    """An address with its prefix length on one of a node's interfaces."""

    interface: str
    address: str

    @property
    def bare(self) -> str:
        """The address without the prefix length."""
        return self.address.partition("/")[0]


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One machine of the lab.

    Attributes:
        asn: None for clients, who do not speak BGP.
        files: path inside the node -> content.
        routes: arguments of `ip route replace`.
        directories: made by the starter before any program starts.
        uplinks: interfaces which face another network (what a silent failure silences).
    """

    name: str
    role: Role
    asn: int | None
    image: str
    programs: tuple[Program, ...]
    files: dict[str, str]
    addresses: tuple[Address, ...]
    routes: tuple[str, ...] = ()
    sysctls: dict[str, str] = {}
    directories: tuple[str, ...] = ()
    uplinks: tuple[str, ...] = ()
    management: bool = False


class End(msgspec.Struct, frozen=True):
    """One end of a link."""

    node: str
    interface: str


class Link(msgspec.Struct, frozen=True):
    """A point-to-point link; `delay` is one way, as netem writes it ("20ms")."""

    a: End
    b: End
    delay: str | None = None

    def far(self, node: str, interface: str) -> End | None:
        """The end opposite to `node:interface`, or None if that is no end of this link."""
        here = End(node, interface)
        return self.b if here == self.a else self.a if here == self.b else None


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """A whole lab.

    Attributes:
        name: also the name of the rendered file, `<name>.clab.yml`.
        reachable: prefixes that every transit must route before the lab is ready.
    """

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    reachable: tuple[str, ...] = ()

    def node(self, name: str) -> Node:
        """The node of that name.

        Raises:
            KeyError: no such node; says which there are.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(n.name for n in self.nodes)
        msg = f"no node {name!r} in {self.name}; there are {known}"
        raise KeyError(msg)

    def of_role(self, role: Role) -> tuple[Node, ...]:
        """All nodes of one role, in order."""
        return tuple(node for node in self.nodes if node.role == role)

    def far_end(self, node: str, interface: str) -> End | None:
        """What `node:interface` is plugged into."""
        ends = (link.far(node, interface) for link in self.links)
        return next((end for end in ends if end is not None), None)
