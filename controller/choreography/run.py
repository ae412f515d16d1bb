"""The controller's whole memory of what it is doing, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap, Contingency, Order, Steering
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, NameserverName, PopName
from controller.choreography.kept import Kept
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
        withdrawn_since: since when its own prefixes of some family have been on no wire, or none.
        silent_since: since when it has been silent in some families but not in all, or none.
        resisting_since: since when it has been unfit and advertised all the same, or none.
        alone: while it did, there was a time when nobody served.
        helped_since: since when somebody serves again, in that case.
        lost_at: when it was last taken over or covered in an emergency; counts against the quota.
        found: it stood so when a controller without memory looked first; only an operator's word
            changes that.
        flaps: losses so far; each doubles the time it must serve before anything moves back.
        refusal: why its drain has not begun, or nobody takes it over, for people.
        shed: share of its clients that it keeps while it is overloaded (1: all).
        shed_at: when that share last changed.
        calm_since: since when it has not been overloaded, or none.
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
    silent_since: float | None = None
    resisting_since: float | None = None
    alone: bool = False
    helped_since: float | None = None
    lost_at: float | None = None
    shed: float = 1.0
    shed_at: float = 0.0
    calm_since: float | None = None


class SentOrder(msgspec.Struct, frozen=True):
    """The last order a host was given.

    ``order`` lacks what is long and the same for everybody (addresses, observed prefixes,
    contingencies); ``digest`` stands for it.
    """

    stamp: Stamp
    order: Order
    digest: int = 0


class SilentWay(msgspec.Struct, frozen=True):
    """An uplink of a host that is silent in one family.

    ``answered``: anycast went deeper; ``back_since``: it has worked again since then.
    """

    since: float
    answered: bool = False
    back_since: float | None = None


class Orderless(msgspec.Struct, frozen=True):
    """A host that says it holds no order: since when, and when its order was sent again."""

    since: float
    sent_at: float | None = None


class Run(msgspec.Struct, frozen=True):
    """Everything that must survive a restart, and nothing that can be derived from the world.

    Attributes:
        epoch: of every stamp this controller gives.
        generation: of the last stamp it gave.
        begun: it has heard enough to decide.
        pops: one per PoP.
        anycast_depth: depth of the more-specifics that all members advertise for anycast prefixes.
        anycast: like it, for one family alone; the deeper of the two holds.
        orders: the last one of each host.
        steering, steering_stamp: the last answers.
        map_stamp, clients: the last client map.
        assignments: where client groups are, per family.
        failover: who takes over, decided while all was calm.
        shares: the shares that the failover table was made for.
        armed: PoP -> what its advertisers add if it is lost while no controller is there.
        keepers: shared prefix -> PoP that may not drop it.
        kept: host -> what it added by itself.
        silent_ways: "host uplink family" -> what is known of its silence.
        ignored: "host PoP" of takeovers that hosts report and nobody believes; told once.
        drains: the operator's wishes.
        orderless: hosts that hold no order although they were sent one, and what was done.
    """

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
    failover: Mapping[PopName, Failover] = {}
    drains: Mapping[PopName, Intent] = {}
    anycast: Mapping[Family, int] = {}
    assignments: Mapping[Family, Assignment] = {}
    shares: Mapping[PopName, float] = {}
    armed: Mapping[PopName, Contingency] = {}
    keepers: Mapping[str, PopName] = {}
    kept: Mapping[HostName, tuple[Kept, ...]] = {}
    silent_ways: Mapping[str, SilentWay] = {}
    ignored: tuple[str, ...] = ()
    orderless: Mapping[HostName, Orderless] = {}

    def anycast_in(self, kind: Family) -> int:
        """The depth of the anycast more-specifics of one family."""
        return max(self.anycast_depth, self.anycast.get(kind, 0))


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


def given(run: Run, kind: Family | None = None) -> Mapping[PopName, float]:
    """The PoPs that DNS gives clients now, with their shares, in one family or in all."""
    shares = {
        name: (each.posture.given if kind is None else each.posture.given_in(kind)) * each.shed
        for name, each in run.pops.items()
    }
    return {name: share for name, share in shares.items() if share > 0}
