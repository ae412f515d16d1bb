"""The members of a lab: every kind of node with its programs, files, addresses and routes."""

from __future__ import annotations

from collections.abc import Sequence

from lab.nodes.broker import MOSQUITTO_CONFIG
from lab.nodes.healthcheck import HealthcheckPop, healthcheck_config
from lab.nodes.programs import (
    MOSQUITTO_FILE,
    UNBOUND_FILE,
    client_programs,
    controller_programs,
    pop_programs,
    router_programs,
)
from lab.nodes.resolver import unbound_config
from lab.routers.policy import FAMILIES, Transit
from lab.topology.attachments import Host
from lab.topology.credentials import empty_files
from lab.topology.edges import (
    MASK,
    ROUTER_DIRECTORIES,
    ROUTER_IMAGE,
    host_routes,
    router_files,
    software_of,
)
from lab.topology.fleetfile import (
    ZONE,
    clients_csv,
    fleet_yaml,
    nameserver_addresses,
)
from lab.topology.internet import (
    ANYCAST,
    ANYCAST_ADDRESS,
    POP_ASN,
    Client,
    Internet,
    Pop,
    access_network,
)
from lab.topology.kernel import CARRIER_COUNTS, COMMON_SYSCTLS, FORWARDING
from lab.topology.options import Options
from lab.topology.places import CONTROLLER_ACCESS
from lab.topology.settings import agent_yaml, controller_yaml, watch_key
from lab.topology.shapes import Address, Node
from lab.topology.wiring import Wiring

NODE_IMAGE = "ambicast-lab/node:1"
HOST_MASK = {"v4": 32, "v6": 128}
CLIENT_MASK = {"v4": 24, "v6": 64}


def _shared_files(internet: Internet, options: Options) -> dict[str, str]:
    return {
        "/etc/ambicast/fleet.yaml": fleet_yaml(internet, options.fleet_overrides),
        "/etc/ambicast/clients.csv": clients_csv(internet),
        "/etc/ambicast/watch.key": watch_key(internet),
    }


def _controller_address() -> str:
    return access_network(*CONTROLLER_ACCESS)["v4"][1]


def _defaults(uplinks: Sequence[tuple[str, dict[str, str]]]) -> tuple[str, ...]:
    """Default routes via every (interface, neighbor by family), the first preferred."""
    return tuple(
        f"default via {neighbor[family]} dev {interface} metric {100 * (1 + place)}"
        for place, (interface, neighbor) in enumerate(uplinks)
        for family in FAMILIES
    )


def host_node(internet: Internet, pop: Pop, host: Host, options: Options) -> Node:
    """A PoP's host."""
    addresses = [
        Address(u.interface, f"{u.network[family][1]}/{MASK[family]}")
        for u in host.uplinks
        for family in FAMILIES
    ]
    files = _shared_files(internet, options)
    nameserver = pop.nameserver and host.node == pop.name
    if options.pop_programs == "ambicast":
        files["/etc/ambicast/agent.yaml"] = agent_yaml(
            pop, host, _controller_address(), options.hold_s, options.bfd
        )
        files |= empty_files(host.node)
    else:
        files["/etc/exabgp/exabgp.conf"] = _healthcheck(pop, host, options.hold_s)
        addresses += _terminated(internet)
    return Node(
        name=host.node,
        role="pop",
        asn=POP_ASN,
        image=NODE_IMAGE,
        programs=pop_programs(
            pop.name,
            nameserver=nameserver,
            programs=options.pop_programs,
            bfd=options.bfd != "off",
        ),
        files=files,
        addresses=tuple(addresses),
        routes=_defaults(
            [(u.interface, {f: u.network[f][0] for f in FAMILIES}) for u in host.uplinks]
        ),
        sysctls=COMMON_SYSCTLS | CARRIER_COUNTS | {"net.ipv4.ip_forward": "0"},
        directories=("/run/ambicast", "/run/knot", "/var/lib/ambicast"),
        uplinks=tuple(u.interface for u in host.uplinks),
    )


def _terminated(internet: Internet) -> list[Address]:
    """Every service address, on lo: the covers lead others' addresses here too."""
    every = [ANYCAST_ADDRESS, *(pop.service_address for pop in internet.pops)]
    return [
        Address("lo", f"{address[family]}/{HOST_MASK[family]}")
        for address in every
        for family in FAMILIES
    ]


def _healthcheck(pop: Pop, host: Host, hold_s: int) -> str:
    neighbors = [
        (uplink.network[family][0], uplink.network[family][1], uplink.asn)
        for uplink in host.uplinks
        for family in FAMILIES
    ]
    return healthcheck_config(
        HealthcheckPop(
            router_id=host.identity[host.uplinks[0].name]["v4"],
            asn=POP_ASN,
            hold_s=hold_s,
            neighbors=neighbors,
            watched=[prefixes[f] for prefixes in (pop.home, ANYCAST) for f in FAMILIES],
            standing=[pop.covers[f] for f in FAMILIES],
        )
    )


def transit_node(
    internet: Internet, wiring: Wiring, number: int, plan: Transit, options: Options
) -> Node:
    """A transit's router."""
    software = software_of(number, options.router)
    addresses = _transit_addresses(internet, wiring, number, plan)
    return Node(
        name=plan.name,
        role="transit",
        asn=plan.asn,
        image=ROUTER_IMAGE,
        programs=router_programs(software, bfd=options.bfd != "off"),
        files=router_files(software, plan),
        addresses=tuple(addresses),
        routes=host_routes(internet, number),
        sysctls=COMMON_SYSCTLS | FORWARDING,
        directories=ROUTER_DIRECTORIES[software],
        uplinks=tuple(dict.fromkeys(address.interface for address in addresses)),
    )


def _transit_addresses(
    internet: Internet, wiring: Wiring, number: int, plan: Transit
) -> list[Address]:
    """Of all its sessions, its clients' networks, and ctl1's."""
    addresses = [
        Address(session.interface, f"{session.local[family]}/{MASK[family]}")
        for session in plan.sessions
        for family in FAMILIES
    ]
    for client in internet.clients:
        if client.transit == number:
            interface = wiring.interface(plan.name, client.name)
            addresses += [Address(interface, a) for a in _client_network(client)[0]]
    if number == CONTROLLER_ACCESS[0]:
        interface = wiring.interface(plan.name, "ctl1")
        network = access_network(*CONTROLLER_ACCESS)
        addresses += [Address(interface, f"{network[f][0]}/{MASK[f]}") for f in FAMILIES]
    return addresses


def _client_network(client: Client) -> tuple[tuple[str, str], tuple[str, str]]:
    """((transit v4, v6), (client v4, v6)), with prefix lengths."""
    v4 = client.networks["v4"].removesuffix("0/24")
    v6 = client.networks["v6"].removesuffix("/48")
    m4, m6 = CLIENT_MASK["v4"], CLIENT_MASK["v6"]
    return (f"{v4}1/{m4}", f"{v6}1/{m6}"), (f"{v4}10/{m4}", f"{v6}10/{m6}")


def client_node(internet: Internet, client: Client) -> Node:
    """A client network's only host, which is its resolver too."""
    far, near = _client_network(client)
    own = [address.partition("/")[0] for address in near]
    neighbor: dict[str, str] = {f: far[i].partition("/")[0] for i, f in enumerate(FAMILIES)}
    networks = [client.networks[f] for f in FAMILIES]
    config = unbound_config(own, networks, ZONE, nameserver_addresses(internet))
    return Node(
        name=client.name,
        role="client",
        asn=None,
        image=NODE_IMAGE,
        programs=client_programs(),
        files={UNBOUND_FILE: config, "/etc/resolv.conf": f"nameserver {own[0]}\n"},
        addresses=tuple(Address("eth1", address) for address in near),
        routes=_defaults([("eth1", neighbor)]),
        sysctls=COMMON_SYSCTLS,
        uplinks=("eth1",),
    )


def controller_node(internet: Internet, options: Options) -> Node:
    """The host of the broker and the controller."""
    network = access_network(*CONTROLLER_ACCESS)
    files = _shared_files(internet, options)
    files["/etc/ambicast/controller.yaml"] = controller_yaml(options.techniques)
    files[MOSQUITTO_FILE] = MOSQUITTO_CONFIG
    files |= empty_files("ctl1", broker=True)
    return Node(
        name="ctl1",
        role="controller",
        asn=None,
        image=NODE_IMAGE,
        programs=controller_programs() if options.pop_programs == "ambicast" else (),
        files=files,
        addresses=tuple(Address("eth1", f"{network[f][1]}/{MASK[f]}") for f in FAMILIES),
        routes=_defaults([("eth1", {f: network[f][0] for f in FAMILIES})]),
        sysctls=COMMON_SYSCTLS,
        directories=("/var/lib/ambicast", "/var/lib/mosquitto"),
        uplinks=("eth1",),
        management=True,
    )
