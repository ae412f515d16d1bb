"""Which interface plugs into which: links in a fixed order, interfaces numbered from eth1.

eth0 is containerlab's management interface and is never used here. PoPs' uplinks come first, so
that `north` is eth1 and `south` is eth2.
"""

from __future__ import annotations

from collections import defaultdict

from lab.topology.attachments import hosts_of, router_of
from lab.topology.internet import Internet
from lab.topology.places import CONTROLLER_ACCESS
from lab.topology.shapes import End, Link


class Wiring:
    """All links of an Internet, and a way to ask for the interface between two nodes."""

    def __init__(self, internet: Internet, delay: str | None) -> None:
        """Plug everything; `delay` (one way) goes on links between networks, not to clients."""
        self._next: defaultdict[str, int] = defaultdict(int)
        self._between: dict[tuple[str, str], str] = {}
        links = [
            self._plug(router_of(pop) or pop.name, f"t{uplink.transit}", delay)
            for pop in internet.pops
            for uplink in pop.uplinks
        ]
        links += [
            self._plug(host.node, router)
            for pop in internet.pops
            if (router := router_of(pop)) is not None
            for host in hosts_of(pop)
        ]
        links += [
            self._plug(f"t{upper}", f"t{lower}", delay)
            for _, upper, lower in internet.transit_pairs()
        ]
        links += [self._plug(client.name, f"t{client.transit}") for client in internet.clients]
        links.append(self._plug("ctl1", f"t{CONTROLLER_ACCESS[0]}", delay))
        self.links = tuple(links)

    def interface(self, node: str, towards: str) -> str:
        """The interface of `node` that leads to `towards`."""
        return self._between[node, towards]

    def _plug(self, a: str, b: str, delay: str | None = None) -> Link:
        ends = []
        for node, other in ((a, b), (b, a)):
            self._next[node] += 1
            interface = f"eth{self._next[node]}"
            self._between[node, other] = interface
            ends.append(End(node, interface))
        return Link(ends[0], ends[1], delay)
