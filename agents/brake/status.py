"""Everything somebody on the host wants to know, from a running agent or from what it left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from agents.advertising.accept import Held
from agents.advertising.desire import Desired
from agents.advertising.observations import BgpSeen
from agents.advertising.orderless import REASON
from agents.advertising.state import Facts, HostState
from agents.advertising.telling import report
from ambicast.contract.messages import (
    Brake,
    Deed,
    Fitness,
    Session,
    UplinkState,
)
from ambicast.model.identifiers import Family
from ambicast.model.routes import Advertisement


class Agent(StrEnum):
    """Whether the agent of this host answers."""

    RUNNING = "running"
    SILENT = "silent"  # it is there, but does not answer: frozen, or busy beyond measure
    GONE = "gone"


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """The order in force: what shall be advertised while all is well, and why."""

    epoch: int
    generation: int
    reason: str
    advertisements: tuple[Advertisement, ...]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one host.

    Attributes:
        order: the order in force, or none yet.
        withheld: what of it is not advertised now, and why.
        wire: what the neighbors have been sent; none where nobody could tell.
        broker: whether the broker is reached; none where only the agent would know.
        controller: whether the controller is heard; none likewise.
        notes: what a person should know about this look, a sentence each.
    """

    pop: str
    host: str
    agent: Agent
    instance: str = ""
    brake: Brake | None = None
    order: Ordered | None = None
    withheld: Mapping[str, str] = {}
    wire: tuple[Advertisement, ...] | None = None
    deeds: tuple[Deed, ...] = ()
    sessions: tuple[Session, ...] = ()
    uplinks: tuple[UplinkState, ...] = ()
    services: tuple[Fitness, ...] = ()
    default_uplink: Mapping[Family, str] = {}
    load: float | None = None
    broker: bool | None = None
    controller: bool | None = None
    notes: tuple[str, ...] = ()


def running(state: HostState, desired: Desired, facts: Facts, now: float) -> Status:
    """What a running agent knows: the report it gives the controller, and the order behind it."""
    told = report(state, facts)
    lease = state.held.order.lease if state.held else facts.fleet.timing.lease
    return Status(
        pop=facts.pop.name,
        host=facts.host,
        agent=Agent.RUNNING,
        instance=facts.instance,
        brake=told.brake,
        order=ordered(state.held),
        withheld={prefix: str(why) for prefix, why in desired.withheld.items()},
        wire=told.wire if state.bgp is not None and state.bgp.attached else None,
        deeds=told.deeds,
        sessions=told.sessions,
        uplinks=told.uplinks,
        services=told.services,
        default_uplink=told.default_uplink,
        load=told.load,
        broker=state.connected,
        controller=not state.weather.contact.away(lease, now),
        notes=tuple(_notes(state)),
    )


def _notes(state: HostState) -> Iterator[str]:
    if state.distrusted is not None and state.held is None:
        aside = state.distrusted
        yield (
            f"the order of epoch {aside.epoch}, generation {aside.generation} was set aside after "
            "repeated crashes"
        )
    if state.found is not None:
        yield REASON


def left(status: Status, held: Held | None, brake: Brake | None, bgp: BgpSeen | None) -> Status:
    """What can be told without the agent: its files, and ExaBGP itself."""
    return msgspec.structs.replace(
        status,
        brake=brake,
        order=ordered(held),
        wire=None if bgp is None else tuple(sorted(bgp.wire)),
        sessions=bgp.sessions if bgp else (),
    )


def ordered(held: Held | None) -> Ordered | None:
    """The order as people want it; by prefix."""
    if held is None:
        return None
    return Ordered(
        epoch=held.stamp.epoch,
        generation=held.stamp.generation,
        reason=held.order.reason,
        advertisements=tuple(sorted(held.order.advertisements)),
    )
