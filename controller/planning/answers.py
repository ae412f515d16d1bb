"""Steering as the nameservers get it: service -> client group -> addresses."""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.contract.messages import ClientMap, Steering
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import EVERYONE_ELSE, Family, PopName
from ambicast.model.services import Service
from controller.planning.assignment import Assignment


def steering(fleet: Fleet, assignment: Assignment, reason: str = "") -> Steering:
    """The whole set of answers for an assignment; groups without a PoP get the anycast address."""
    return Steering(
        ttl=fleet.timing.ttl,
        answers={
            name: _of_service(fleet, service, assignment)
            for name, service in sorted(fleet.services.items())
        },
        reason=reason,
    )


def client_map(fleet: Fleet) -> ClientMap:
    """Which prefixes make up which group, as the nameservers need it."""
    return ClientMap(
        zone=fleet.zone,
        names={name: service.names for name, service in sorted(fleet.services.items())},
        groups={name: group.prefixes for name, group in sorted(fleet.clients.items())},
    )


def _of_service(
    fleet: Fleet, service: Service, assignment: Assignment
) -> Mapping[str, tuple[str, ...]]:
    anycast = tuple(service.anycast.addresses[kind] for kind in sorted(service.anycast.addresses))
    answers: dict[str, tuple[str, ...]] = {EVERYONE_ELSE: anycast}
    for group in sorted(fleet.clients):
        pop = assignment.pops.get(group)
        answers[group] = _at(fleet, service, pop) or anycast if pop else anycast
    return answers


def _at(fleet: Fleet, service: Service, pop: PopName) -> tuple[str, ...]:
    found = (service.address_at(fleet.pops[pop], kind) for kind in Family)
    return tuple(each for each in found if each)
