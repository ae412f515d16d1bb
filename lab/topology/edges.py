"""A PoP's own router: an AS between its hosts and its transits, sharing flows over the hosts."""

from __future__ import annotations

from collections.abc import Iterator

from lab.nodes.programs import router_programs
from lab.routers.bird import bird_config
from lab.routers.frr import bgpd_config, zebra_config
from lab.routers.policy import FAMILIES, Session, Transit, bfd_interval_ms
from lab.topology.attachments import edge_asn, hosts_of, router_of
from lab.topology.internet import (
    POP_ASN,
    STEERED_V4,
    STEERED_V6,
    Internet,
    Pop,
    access_network,
    asn_of,
)
from lab.topology.kernel import COMMON_SYSCTLS, FORWARDING
from lab.topology.options import Options
from lab.topology.shapes import Address, Node, RouterChoice, RouterSoftware
from lab.topology.wiring import Wiring

ROUTER_IMAGE = "ambicast-lab/router:1"
MASK = {"v4": 30, "v6": 64}
ROUTER_DIRECTORIES: dict[RouterSoftware, tuple[str, ...]] = {
    "bird": ("/run/bird",),
    "frr": ("/run/frr", "/var/tmp/frr"),  # noqa: S108 - FRR's own choice
}
# Flows, not destinations, are shared: all clients of one service would meet one host.
BY_FLOW = {"net.ipv4.fib_multipath_hash_policy": "1", "net.ipv6.fib_multipath_hash_policy": "1"}


def software_of(number: int, router: RouterChoice) -> RouterSoftware:
    """What router number `number` runs."""
    if router == "mixed":
        return "bird" if number % 2 else "frr"
    return router


def router_files(software: RouterSoftware, plan: Transit) -> dict[str, str]:
    """The configuration of a router, path by path."""
    if software == "bird":
        return {"/etc/bird/bird.conf": bird_config(plan)}
    return {
        "/etc/frr/zebra.conf": zebra_config(plan),
        "/etc/frr/bgpd.conf": bgpd_config(plan),
        "/etc/frr/vtysh.conf": "",
        "/etc/frr/bfdd.conf": zebra_config(plan),
    }


def edge_nodes(internet: Internet, wiring: Wiring, options: Options) -> Iterator[Node]:
    """The routers of all PoPs that have one."""
    for pop in internet.pops:
        router = router_of(pop)
        if router is None:
            continue
        sessions = (*_to_transits(pop, router, wiring), *_to_hosts(pop, router, wiring))
        plan = Transit(
            name=router,
            asn=edge_asn(pop),
            router_id=access_network(pop.uplinks[0].transit, pop.number)["v4"][1],
            sessions=sessions,
            originated=dict.fromkeys(FAMILIES, ()),
            steered={"v4": STEERED_V4, "v6": STEERED_V6},
            hold_s=options.hold_s,
            bfd_ms=bfd_interval_ms(options.bfd),
            multipath=True,
        )
        software = software_of(pop.number, options.router)
        addresses = tuple(
            Address(each.interface, f"{each.local[family]}/{MASK[family]}")
            for each in sessions
            for family in FAMILIES
        )
        yield Node(
            name=router,
            role="transit",
            asn=plan.asn,
            image=ROUTER_IMAGE,
            programs=router_programs(software, bfd=options.bfd != "off"),
            files=router_files(software, plan),
            addresses=addresses,
            sysctls=COMMON_SYSCTLS | FORWARDING | BY_FLOW,
            directories=ROUTER_DIRECTORIES[software],
            uplinks=tuple(dict.fromkeys(address.interface for address in addresses)),
        )


def _to_transits(pop: Pop, router: str, wiring: Wiring) -> Iterator[Session]:
    for uplink in pop.uplinks:
        network = access_network(uplink.transit, pop.number)
        yield Session(
            name=f"t{uplink.transit}",
            relation="provider",
            asn=asn_of(uplink.transit),
            interface=wiring.interface(router, f"t{uplink.transit}"),
            local={family: network[family][1] for family in FAMILIES},
            remote={family: network[family][0] for family in FAMILIES},
        )


def _to_hosts(pop: Pop, router: str, wiring: Wiring) -> Iterator[Session]:
    for host in hosts_of(pop):
        (edge,) = host.uplinks
        yield Session(
            name=host.node,
            relation="pop",
            asn=POP_ASN,
            interface=wiring.interface(router, host.node),
            local={family: edge.network[family][0] for family in FAMILIES},
            remote={family: edge.network[family][1] for family in FAMILIES},
        )


def host_routes(internet: Internet, transit: int) -> tuple[str, ...]:
    """What a transit forwards to its customers' routers beside BGP: their hosts' networks."""
    found = []
    for pop in internet.pops:
        if router_of(pop) is None or pop.uplinks[0].transit != transit:
            continue
        gateway = access_network(transit, pop.number)
        for host in hosts_of(pop):
            (edge,) = host.uplinks
            for family in FAMILIES:
                start, _, _ = edge.network[family][0].rpartition("." if family == "v4" else ":")
                network = f"{start}.0/30" if family == "v4" else f"{start}:/64"
                found.append(f"{network} via {gateway[family][1]}")
    return tuple(found)
