"""Links, with or without delay.

A link without delay is a veth pair. A delayed one is a veth pair with netem at both ends where the
kernel has netem, else it is carried by a relay process (`relay`). Links whose delay or jitter a
scenario changes on the way are always relayed: netem's jitter would reorder packets of one flow.
"""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from lab.engines.impairments import seconds
from lab.engines.namespaces import NETNS, batch, namespace
from lab.engines.relaying import RelayedLink, start
from lab.topology.reading import ClabLink

PROBE: Final = "netem-probe"
EVERY: Final = "all"


def netem_works() -> bool:
    """Whether this kernel has netem, tried in a namespace made for it."""
    try:
        batch([f"netns add {PROBE}"])
        argv = ["tc", "-n", PROBE, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    finally:
        batch([f"netns del {PROBE}"], force=True)


class Cables:
    """All links of one lab.

    Attributes:
        relayed: the ends (`node:interface`) of the links that a relay carries, once plugged.
    """

    def __init__(
        self, lab: str, links: Iterable[ClabLink], directory: Path, relayed: Collection[str] = ()
    ) -> None:
        """`relayed`: ends of links that must be changeable while they carry packets, or `all`."""
        self._lab = lab
        self._directory = directory
        self._links = list(links)
        self._wanted = relayed
        self.relayed: list[str] = []

    def plug(self) -> tuple[str, subprocess.Popen[bytes] | None]:
        """Make all links; returns how delays are made, and the relay if there is one."""
        slow = [link for link in self._links if "delay" in link.vars]
        relayed = [link for link in self._links if self._changes(link)]
        netem = bool(slow) and netem_works()
        if not netem:
            relayed += [link for link in slow if link not in relayed]
        direct = [link for link in self._links if link not in relayed]
        batch(map(self._veth, direct))
        for link in direct:
            if "delay" in link.vars:
                self._netem(link)
        if not relayed:
            return "netem" if netem else "none", None
        self.relayed = [end for link in relayed for end in link.endpoints]
        return "relay", start(map(self._relayed, relayed), self._directory)

    def _changes(self, link: ClabLink) -> bool:
        return EVERY in self._wanted or any(end in self._wanted for end in link.endpoints)

    def _ends(self, link: ClabLink) -> list[tuple[str, str]]:
        """(namespace, interface) of both ends."""
        pairs = [endpoint.split(":") for endpoint in link.endpoints]
        return [(namespace(self._lab, node), interface) for node, interface in pairs]

    def _veth(self, link: ClabLink) -> str:
        (a, a_if), (b, b_if) = self._ends(link)
        return f"link add {a_if} netns {a} type veth peer name {b_if} netns {b}"

    def _netem(self, link: ClabLink) -> None:
        for space, interface in self._ends(link):
            argv = ["tc", "-n", space, "qdisc", "add", "dev", interface, "root", "netem"]
            subprocess.run([*argv, "delay", link.vars["delay"]], check=True, capture_output=True)

    def _relayed(self, link: ClabLink) -> RelayedLink:
        (a, a_if), (b, b_if) = self._ends(link)
        ends = ((str(NETNS / a), a_if), (str(NETNS / b), b_if))
        return RelayedLink(ends, seconds(link.vars.get("delay", "0s")))
