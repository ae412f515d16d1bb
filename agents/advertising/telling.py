"""What this host tells the controller: pure views, so that a change is a comparison."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from agents.advertising.accept import (
    Accepted,
    Ambiguous,
    Distrusted,
    Forbidden,
    StaleOrder,
    Verdict,
)
from agents.advertising.observations import Told
from agents.advertising.state import Facts, HostState
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import (
    Deed,
    Fitness,
    Outcome,
    Receipt,
    Report,
    Said,
    Sightings,
    UplinkState,
)
from ambicast.model.routes import Advertisement
from ambicast.model.watching import ring

_Since = TypeVar("_Since", UplinkState, Deed)


def report(state: HostState, facts: Facts) -> Report:
    """The whole state of this host."""
    stamp = state.held.stamp if state.held else Stamp()
    kernel = state.kernel
    return Report(
        instance=facts.instance,
        sessions=state.bgp.sessions if state.bgp else (),
        uplinks=tuple(_for_people(each, facts) for each in state.uplinks),
        services=_fitness(state, facts),
        wire=sorted_wire(state),
        terminated=tuple(sorted(kernel.terminated)) if kernel else (),
        default_uplink=kernel.default_uplink if kernel else {},
        order_epoch=stamp.epoch,
        order_generation=stamp.generation,
        deeds=deeds(state, facts),
        brake=state.braking.brake if state.braking else None,
        load=state.serving.overload.load,
        keeps=tuple(sorted(state.keeping.taken)),
    )


def deeds(state: HostState, facts: Facts) -> tuple[Deed, ...]:
    """What is advertised without an order, with instants for people."""
    return tuple(_for_people(each, facts) for each in state.deeds)


def sightings(state: HostState, facts: Facts) -> Sightings | None:
    """What the watcher of this host sees; none before it spoke.

    Only of the own PoP and of those on the ring with it: of each PoP as many tell the controller,
    however large the fleet. What is watched for its nearness is for the own judgement.
    """
    if state.watched is None:
        return None
    seen = state.watched
    subjects = {facts.pop.name, *ring(facts.fleet, facts.pop.name)}
    return Sightings(
        instance=facts.instance,
        seen=tuple(each for each in seen.seen if each.pop in subjects),
        witnesses=seen.witnesses,
        paused=seen.paused,
        said=tuple(_said(told) for _, told in sorted(seen.told.items()) if told.pop in subjects),
    )


def _said(told: Told) -> Said:
    """Another host's word, as far as the controller needs it."""
    return Said(
        pop=told.pop,
        host=told.host,
        voice=told.voice,
        switched=told.switched,
        fit=tuple(sorted(told.fit)),
    )


def receipt(verdict: Verdict, state: HostState) -> tuple[Stamp, Receipt]:
    """The answer to an order, under the stamp of that order."""
    match verdict:
        case Accepted(held):
            return held.stamp, accepted(state)
        case StaleOrder(stamp, held_stamp):
            why = f"stale: {_named(stamp)} came after {_named(held_stamp)}, which is held"
            return stamp, refused((why,), state)
        case Ambiguous(stamp):
            why = f"{_named(stamp)} is held with another content; give it a new generation"
            return stamp, refused((why,), state)
        case Distrusted(stamp):
            why = f"this agent crashed repeatedly with {_named(stamp)}; send a newer order"
            return stamp, refused((why,), state)
        case Forbidden(stamp, refusals):
            return stamp, refused(refusals, state)


def accepted(state: HostState) -> Receipt:
    """Accepted, and what is on the wire by now."""
    return Receipt(outcome=Outcome.ACCEPTED, wire=sorted_wire(state))


def refused(refusals: tuple[str, ...], state: HostState) -> Receipt:
    """Refused, why, and what is on the wire all the same."""
    return Receipt(outcome=Outcome.REFUSED, refusals=refusals, wire=sorted_wire(state))


def sorted_wire(state: HostState) -> tuple[Advertisement, ...]:
    """What the neighbors have been sent, in a fixed order."""
    return tuple(sorted(state.wire, key=lambda each: (each.prefix, each.uplink)))


def _named(stamp: Stamp) -> str:
    return f"epoch {stamp.epoch} generation {stamp.generation}"


def _for_people(each: _Since, facts: Facts) -> _Since:
    return msgspec.structs.replace(each, since=round(each.since + facts.unix, 3))


def _fitness(state: HostState, facts: Facts) -> tuple[Fitness, ...]:
    serving = state.serving
    return tuple(
        Fitness(
            service=name,
            fit=judged.fit,
            detail=judged.detail,
            since=round(judged.since + facts.unix, 3),
            overloaded=name in serving.overload.last,
            hold_down=serving.held_down.get(name, 0.0),
        )
        for name, judged in sorted(serving.services.items())
    )
