"""Faults of links: what a lab can do to the cables of its nodes while they run.

Undoing a fault touches only what the fault touched: an interface that was never set down is not
set up again, so that programs which listen to the kernel hear nothing of it.
"""

from __future__ import annotations

import abc
import fcntl
import socket
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lab.engines.faults import (
    Family,
    LabError,
    heal_rules,
    loss_rules,
    partition_rules,
    silence_rules,
    voice_rules,
)
from lab.engines.impairments import Direction, Impairment
from lab.engines.netfilter import apply
from lab.engines.relaying import Change, tell
from lab.engines.state import State
from lab.fibs.namespaces import inside
from lab.topology.shapes import End, Topology

SIOCGIFFLAGS: Final = 0x8913
IFF_UP: Final = 1
EVERY: Final = "all"


class Links(abc.ABC):
    """The links of a lab, and the faults one can make of them."""

    name: str
    directory: Path
    state: State
    topology: Topology

    @abc.abstractmethod
    def network(self, node: str) -> Path:
        """The path of the node's network namespace."""

    @abc.abstractmethod
    def is_on(self, node: str) -> bool:
        """Whether the node is powered on."""

    @abc.abstractmethod
    def poweron(self, node: str) -> None:
        """Bring a powered-off node back as it was at first."""

    def silence(self, node: str, family: Family | None = None) -> None:
        """Drop all (or one family) that enters or leaves the node.

        Carriers stay, loopback is untouched.
        """
        self._nft(node, silence_rules(self.topology.node(node).uplinks, family))

    def unsilence(self, node: str) -> None:
        """Undo `silence` and every `link_silent` of the node."""
        self._nft(node, voice_rules(self.topology.node(node).uplinks))

    def restore(self, node: str) -> None:
        """Undo every fault of this node's links, and power it on if it is off."""
        if not self.is_on(node):
            self.poweron(node)
        self.heal(node)
        for interface in self.topology.node(node).uplinks:
            self.link_up(node, interface)

    def link_silent(self, node: str, interface: str, family: Family | None = None) -> None:
        """Drop all (or one family) that enters or leaves by one interface; the carrier stays."""
        self._known_interface(node, interface)
        self._nft(node, silence_rules([interface], family))

    def link_down(self, node: str, interface: str) -> None:
        """Cut a link: the far end is set down, this one keeps its addresses and loses carrier."""
        far = self._far(node, interface)
        self._ip(far.node, [f"link set {far.interface} down"])

    def link_up(self, node: str, interface: str) -> None:
        """Undo `link_down` and `link_silent`."""
        far = self._far(node, interface)
        self._nft(node, voice_rules([interface]))
        for end in (far, End(node, interface)):
            if not self._is_up(end):
                self._ip(end.node, [f"link set {end.interface} up", *self._settings(end)])

    def loss(self, node: str, interface: str, percent: float) -> None:
        """Lose a share of what arrives on an interface; 0 takes it back."""
        self._known_interface(node, interface)
        self._nft(node, loss_rules(interface, percent))

    def impair(self, ends: Iterable[str], how: Impairment, direction: Direction = "both") -> None:
        """Impair links by one of their ends (`ams:eth1`); `Impairment()` takes it back.

        Args:
            ends: of the links; `all` for every one.
            how: over the link's own delay.
            direction: `out` is away from the end that was named, `in` towards it.

        Raises:
            LabError: packets shall be late on a link that was not made for it.
        """
        chosen = self._ends(ends)
        relayed = [end for end in chosen if f"{end.node}:{end.interface}" in self.state.relayed]
        direct = [end for end in chosen if end not in relayed]
        if direct and not how.only_loses:
            named = ", ".join(f"{end.node}:{end.interface}" for end in direct)
            msg = f"{named}: not made for delay and jitter; name it when the lab is brought up"
            raise LabError(msg)
        for end in direct:
            for hurt in self._losing(end, direction):
                self.loss(hurt.node, hurt.interface, how.loss * 100)
        if relayed:
            changes = [
                Change((str(self.network(end.node)), end.interface), how, direction)
                for end in relayed
            ]
            tell(self.directory, changes)

    def partition(self, node: str, addresses: Iterable[str]) -> None:
        """Drop all traffic of a node with these addresses, both ways; carriers stay."""
        self._nft(node, partition_rules(self.topology.node(node).uplinks, addresses))

    def heal(self, node: str) -> None:
        """Undo `partition`."""
        self._nft(node, heal_rules())

    # Inner workings

    def _ends(self, ends: Iterable[str]) -> list[End]:
        wanted = list(ends)
        if EVERY in wanted:
            return [link.a for link in self.topology.links]
        pairs = [end.partition(":") for end in wanted]
        for node, _, interface in pairs:
            self._known_interface(node, interface)
        return [End(node, interface) for node, _, interface in pairs]

    def _losing(self, end: End, direction: Direction) -> list[End]:
        """Where a direct link loses packets: they are dropped as they arrive."""
        far = self._far(end.node, end.interface)
        return {"in": [end], "out": [far], "both": [end, far]}[direction]

    def _nft(self, node: str, rules: str) -> None:
        apply(self.network(node), rules, node)

    def _ip(self, node: str, lines: Iterable[str]) -> None:
        argv = ["nsenter", f"--net={self.network(node)}", "ip", "-force", "-batch", "-"]
        text = "".join(f"{line}\n" for line in lines)
        subprocess.run(argv, input=text, text=True, check=False, capture_output=True)

    def _is_up(self, end: End) -> bool:
        """Whether an interface is set up, by its administrator's will; no if that is unknown."""
        request = struct.pack("16sh22x", end.interface.encode(), 0)
        try:
            with inside(self.network(end.node)):
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with sock:
                answer = fcntl.ioctl(sock, SIOCGIFFLAGS, request)
        except (OSError, LabError):
            return False
        return bool(struct.unpack_from("16sh", answer)[1] & IFF_UP)

    def _settings(self, end: End) -> list[str]:
        """Addresses and routes that the kernel drops when an interface is set down."""
        spec = self.topology.node(end.node)
        lines = [
            f"address replace {a.address} dev {a.interface}{' nodad' if ':' in a.address else ''}"
            for a in spec.addresses
            if a.interface == end.interface
        ]
        if self._owns_routes(end.node):
            return lines
        routes = [route for route in spec.routes if f" dev {end.interface} " in route]
        return lines + [f"route replace {route}" for route in routes]

    def _owns_routes(self, node: str) -> bool:
        """Whether a program of the node keeps its default route by itself."""
        return any(program.name == "agent" for program in self.topology.node(node).programs)

    def _far(self, node: str, interface: str) -> End:
        self._known_interface(node, interface)
        far = self.topology.far_end(node, interface)
        assert far is not None
        return far

    def _known_interface(self, node: str, interface: str) -> None:
        known = self.topology.node(node).uplinks
        if interface not in known:
            msg = f"no interface {interface!r} on {node}; there are {', '.join(known)}"
            raise LabError(msg)
