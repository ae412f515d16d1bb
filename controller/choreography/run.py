"""The controller's whole memory of what it is doing, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap, Order, Steering
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import HostName, NameserverName, PopName
from controller.choreography.phases import Phase
from controller.choreography.plan import Plan
from controller.choreography.posture import Posture
from controller.planning.assignment import Assignment
from controller.planning.failover import Failover
from controller.world.belief import Intent


class PopRun(msgspec.Struct, frozen=True):
    """One PoP's phase, posture and plan.

    Attributes:
        serving_since: since when it has been serving without a break, or none.
        withdrawn_since: since when its own prefixes have been on no wire, or none.
        found: it stood so when a controller without memory looked first; only an operator's word
            changes that.
        flaps: losses so far; each doubles the time it must serve before anything moves back.
        refusal: why its drain has not begun, for people.
    """

    phase: Phase = Phase.STARTING
    posture: Posture = Posture(given=0.0)
    plan: Plan | None = None
    since: float = 0.0
    because: str = ""
    serving_since: float | None = None
    withdrawn_since: float | None = None
    found: bool = False
    flaps: int = 0
    refusal: str = ""


class SentOrder(msgspec.Struct, frozen=True):
    """The last order a host was given."""

    stamp: Stamp
    order: Order


class Run(msgspec.Struct, frozen=True):
    """Everything that must survive a restart, and nothing that can be derived from the world."""

    epoch: int
    generation: int = 0
    begun: bool = False
    pops: Mapping[PopName, PopRun] = {}
    anycast_depth: int = 0
    orders: Mapping[HostName, SentOrder] = {}
    steering: Steering | None = None
    steering_stamp: Stamp = Stamp()
    map_stamp: Stamp = Stamp()
    clients: ClientMap | None = None
    assignment: Assignment = Assignment({}, {})
    failover: Mapping[PopName, Failover] = {}
    drains: Mapping[PopName, Intent] = {}


class PublishOrder(msgspec.Struct, frozen=True):
    """Send one host its whole desired set. Journal the run BEFORE sending."""

    pop: PopName
    host: HostName
    stamp: Stamp
    order: Order


class PublishSteering(msgspec.Struct, frozen=True):
    """Send one nameserver all its answers. Journal the run BEFORE sending."""

    nameserver: NameserverName
    stamp: Stamp
    steering: Steering


class PublishMap(msgspec.Struct, frozen=True):
    """Send one nameserver the client map."""

    nameserver: NameserverName
    stamp: Stamp
    clients: ClientMap


class Happened(msgspec.Struct, frozen=True):
    """Something people and programs want to know: ``kind`` is short and constant."""

    at: float
    kind: str
    pop: str
    text: str


class WakeAt(msgspec.Struct, frozen=True):
    """Look again at this time, even if nothing is heard."""

    at: float


Command = PublishOrder | PublishSteering | PublishMap | Happened | WakeAt


def fresh(fleet: Fleet, epoch: int, now: float) -> Run:
    """The run of a controller that remembers nothing."""
    return Run(epoch=epoch, pops={name: PopRun(since=now) for name in fleet.pops})


def given(run: Run) -> Mapping[PopName, float]:
    """The PoPs that DNS gives clients now, with their shares."""
    return {name: each.posture.given for name, each in run.pops.items() if each.posture.given > 0}
