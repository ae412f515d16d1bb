"""From an Internet to each transit's plan: its neighbors, what they are to it, what it owns."""

from __future__ import annotations

from lab.routers.policy import FAMILIES, Session, Transit
from lab.topology.attachments import edge_asn, router_of
from lab.topology.internet import (
    POP_ASN,
    STEERED_V4,
    STEERED_V6,
    Internet,
    Relation,
    access_network,
    asn_of,
    provider_space,
    transit_network,
)
from lab.topology.wiring import Wiring


def transit_plans(
    internet: Internet, wiring: Wiring, hold_s: int, advertisement_interval_s: int, bfd_ms: int = 0
) -> dict[int, Transit]:
    """Every transit's plan by its number."""
    return {
        number: Transit(
            name=f"t{number}",
            asn=asn_of(number),
            router_id=f"10.{number}.0.1",
            sessions=tuple(
                _transit_sessions(internet, wiring, number)
                + _pop_sessions(internet, wiring, number)
            ),
            originated=_originated(internet, number),
            steered={"v4": STEERED_V4, "v6": STEERED_V6},
            hold_s=hold_s,
            advertisement_interval_s=advertisement_interval_s,
            bfd_ms=bfd_ms,
        )
        for number in range(1, internet.transits + 1)
    }


def _originated(internet: Internet, number: int) -> dict[str, tuple[str, ...]]:
    clients = [client for client in internet.clients if client.transit == number]
    return {
        family: (provider_space(number)[family], *(c.networks[family] for c in clients))
        for family in FAMILIES
    }


def _transit_sessions(internet: Internet, wiring: Wiring, number: int) -> list[Session]:
    sessions = []
    for k, upper, lower in internet.transit_pairs():
        if number not in (upper, lower):
            continue
        other = lower if number == upper else upper
        side = 0 if number == upper else 1
        network = transit_network(k)
        relation: Relation = "customer" if number == upper else "provider"
        sessions.append(
            Session(
                name=f"t{other}",
                relation="peer" if (upper, lower) == (1, 2) else relation,
                asn=asn_of(other),
                interface=wiring.interface(f"t{number}", f"t{other}"),
                local={family: network[family][side] for family in FAMILIES},
                remote={family: network[family][1 - side] for family in FAMILIES},
            )
        )
    return sessions


def _pop_sessions(internet: Internet, wiring: Wiring, number: int) -> list[Session]:
    sessions = []
    for pop in internet.pops:
        for uplink in pop.uplinks:
            if uplink.transit != number:
                continue
            network = access_network(number, pop.number)
            router = router_of(pop)
            sessions.append(
                Session(
                    name=router or pop.name,
                    relation="pop",
                    asn=edge_asn(pop) if router else POP_ASN,
                    interface=wiring.interface(f"t{number}", router or pop.name),
                    local={family: network[family][0] for family in FAMILIES},
                    remote={family: network[family][1] for family in FAMILIES},
                )
            )
    return sessions
