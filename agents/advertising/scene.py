"""What decisions beyond the order look at: one moment of the host, without the memory of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from agents.advertising.hearing import Hearing
from agents.advertising.observations import BfdSeen, KernelSeen, Watched
from ambicast.contract.messages import Order
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName
from ambicast.model.pops import Pop
from ambicast.model.routes import Advertisement

Way = tuple[str, Family]
"""An own uplink, or a host beside this one, in one family."""


class Scene(NamedTuple):
    """One moment.

    Attributes:
        fleet: the inventory.
        pop: the own PoP, as ``host`` reaches its uplinks.
        host: the own host.
        order: the order held, or none.
        rib: ExaBGP's adj-rib-out, as last known.
        kernel: carrier and addresses.
        watched: the watch, as last told.
        attentive: the watch has spoken just now, is not catching up after a pause, and has been
            at it for long enough: only then is silence a sign of anything.
        heard: the words that count.
        bfd: forwarding to the neighbors, where BFD says.
        worked: (uplink, family) that have worked in this run.
        servable: whether a prefix is allowed here and the services behind it are fit.
        now: seconds of the caller's clock.
    """

    fleet: Fleet
    pop: Pop
    host: HostName
    order: Order | None
    rib: frozenset[Advertisement]
    kernel: KernelSeen | None
    watched: Watched | None
    attentive: bool
    heard: Hearing
    bfd: BfdSeen | None
    worked: frozenset[Way]
    servable: Callable[[str], bool]
    now: float

    def ways(self) -> tuple[Way, ...]:
        """Every own uplink in every family it speaks, in a fixed order."""
        return tuple(
            (name, kind)
            for name in sorted(self.pop.uplinks)
            for kind in self.pop.uplinks[name].families
        )

    def answered(self, way: Way) -> bool | None:
        """Whether probes through an uplink come back; none where that is not judged yet."""
        if self.watched is None:
            return None
        return self.watched.working.get(way[0], {}).get(way[1])

    def carries(self, uplink: str) -> bool:
        """Whether an uplink has carrier, as far as is known."""
        return self.kernel is None or self.kernel.carrier.get(uplink, False)

    def forwards(self, way: Way) -> bool | None:
        """What BFD says of an uplink's neighbor; none where there is no BFD."""
        return self.bfd.up.get(way[0], {}).get(way[1]) if self.bfd else None
