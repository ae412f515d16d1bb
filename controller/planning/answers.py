"""Steering as the nameservers get it: service -> client group -> addresses."""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.contract.messages import ClientMap, Steering
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import EVERYONE_ELSE, Family, PopName, ServiceName
from ambicast.model.services import Service
from controller.planning.assignment import Assignment
from controller.planning.remembering import Last


def steering(fleet: Fleet, assignments: Mapping[Family, Assignment], reason: str = "") -> Steering:
    """The whole set of answers, each family by its own assignment.

    Groups without a PoP in a family get the anycast address of that family.
    """
    return Steering(
        ttl=fleet.timing.ttl,
        answers={
            name: _of_service(fleet, service, assignments)
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
    fleet: Fleet, service: Service, assignments: Mapping[Family, Assignment]
) -> Mapping[str, tuple[str, ...]]:
    common = service.anycast.addresses
    anycast = tuple(common[kind] for kind in sorted(common))
    at = own_addresses(fleet)[service.name]
    answers: dict[str, tuple[str, ...]] = {EVERYONE_ELSE: anycast}
    for group in sorted(fleet.clients):
        found = []
        for kind in Family:
            pop = assignments[kind].pops.get(group) if kind in assignments else None
            found.append(at[pop].get(kind) if pop else common.get(kind))
        answers[group] = tuple(each for each in found if each) or anycast
    return answers


@Last
def own_addresses(
    fleet: Fleet,
) -> Mapping[ServiceName, Mapping[PopName, Mapping[Family, str]]]:
    """Service -> PoP -> family -> the service's own address there."""
    return {
        name: {
            pop: {
                kind: own for kind in Family if (own := service.address_at(fleet.pops[pop], kind))
            }
            for pop in fleet.pops
        }
        for name, service in fleet.services.items()
    }
