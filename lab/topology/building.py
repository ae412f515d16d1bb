"""From an Internet to a topology: every node with its programs, files, addresses and routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

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
from lab.routers.bird import bird_config
from lab.routers.frr import bgpd_config, zebra_config
from lab.routers.policy import FAMILIES, Transit
from lab.routers.transits import transit_plans
from lab.topology.fleetfile import (
    ZONE,
    clients_csv,
    fleet_yaml,
    identity_addresses,
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
    asn_of,
    provider_space,
)
from lab.topology.places import CONTROLLER_ACCESS, THREE_POPS, many_pops
from lab.topology.settings import agent_yaml, controller_yaml, watch_key
from lab.topology.shapes import (
    Address,
    Node,
    PopPrograms,
    RouterChoice,
    RouterSoftware,
    Topology,
)
from lab.topology.wiring import Wiring

NODE_IMAGE = "ambicast-lab/node:1"
ROUTER_IMAGE = "ambicast-lab/router:1"
MASK = {"v4": 30, "v6": 64}
HOST_MASK = {"v4": 32, "v6": 128}
CLIENT_MASK = {"v4": 24, "v6": 64}
COMMON_SYSCTLS = {
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.all.accept_dad": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.all.keep_addr_on_down": "1",
    "net.ipv6.conf.default.keep_addr_on_down": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
}
FORWARDING = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv6.conf.default.forwarding": "1",
}
CARRIER_COUNTS = {  # a route over a link without carrier is not used
    "net.ipv4.conf.all.ignore_routes_with_linkdown": "1",
    "net.ipv6.conf.all.ignore_routes_with_linkdown": "1",
}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen about a lab; see `three_pops`."""

    router: RouterChoice = "bird"
    hold_s: int = 9
    delay: str | None = None
    advertisement_interval_s: int = 0
    fleet_overrides: Mapping[str, object] = {}
    techniques: Sequence[str] | None = None
    pop_programs: PopPrograms = "ambicast"


def three_pops(
    router: RouterChoice,
    hold_s: int = 9,
    delay: str | None = None,
    advertisement_interval_s: int = 0,
    fleet_overrides: Mapping[str, object] | None = None,
    techniques: Sequence[str] | None = None,
    pop_programs: PopPrograms = "ambicast",
) -> Topology:
    """PoPs ams, fra, lhr in an Internet of five transits, with three client networks.

    Args:
        router: what the transits run; `mixed` alternates.
        hold_s: BGP hold time, seconds.
        delay: one way, on every link between networks, as netem writes it ("20ms").
        advertisement_interval_s: MRAI on every session; FRR only.
        fleet_overrides: over the fleet file's `timing`.
        techniques: what the controller may use; None: all.
        pop_programs: Ambicast, or ExaBGP with its own healthcheck as a baseline.

    Raises:
        ValueError: an advertisement interval with routers that have none.
    """
    options = Options(
        router=router,
        hold_s=hold_s,
        delay=delay,
        advertisement_interval_s=advertisement_interval_s,
        fleet_overrides=fleet_overrides or {},
        techniques=techniques,
        pop_programs=pop_programs,
    )
    return build(THREE_POPS, options)


def pops(count: int, options: Options) -> Topology:
    """The same with `count` PoPs p1, p2, ... on a ring of transits (3: `three_pops`)."""
    return build(many_pops(count), options)


def build(internet: Internet, options: Options) -> Topology:
    """All nodes and links of `internet`."""
    wiring = Wiring(internet, options.delay)
    plans = transit_plans(internet, wiring, options.hold_s, options.advertisement_interval_s)
    nodes = [
        *(_pop_node(internet, pop, options) for pop in internet.pops),
        *(_transit_node(internet, wiring, n, plan, options) for n, plan in plans.items()),
        *(_client_node(internet, client) for client in internet.clients),
        _controller_node(internet, options),
    ]
    reachable = [provider_space(n)[f] for n in plans for f in FAMILIES]
    reachable += [client.networks[f] for client in internet.clients for f in FAMILIES]
    return Topology(
        name=internet.name, nodes=tuple(nodes), links=wiring.links, reachable=tuple(reachable)
    )


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


def _pop_node(internet: Internet, pop: Pop, options: Options) -> Node:
    networks = [(u, access_network(u.transit, pop.number)) for u in pop.uplinks]
    addresses = [
        Address(u.interface, f"{network[family][1]}/{MASK[family]}")
        for u, network in networks
        for family in FAMILIES
    ]
    files = _shared_files(internet, options)
    if options.pop_programs == "ambicast":
        files["/etc/ambicast/agent.yaml"] = agent_yaml(pop, _controller_address(), options.hold_s)
    else:
        files["/etc/exabgp/exabgp.conf"] = _healthcheck(pop, options.hold_s)
        addresses += _terminated(internet)
    return Node(
        name=pop.name,
        role="pop",
        asn=POP_ASN,
        image=NODE_IMAGE,
        programs=pop_programs(
            pop.name, nameserver=pop.nameserver, programs=options.pop_programs
        ),
        files=files,
        addresses=tuple(addresses),
        routes=_defaults([(u.interface, {f: n[f][0] for f in FAMILIES}) for u, n in networks]),
        sysctls=COMMON_SYSCTLS | CARRIER_COUNTS | {"net.ipv4.ip_forward": "0"},
        directories=("/run/ambicast", "/run/knot", "/var/lib/ambicast"),
        uplinks=tuple(u.interface for u in pop.uplinks),
    )


def _terminated(internet: Internet) -> list[Address]:
    """Every service address, on lo: the covers lead others' addresses here too."""
    every = [ANYCAST_ADDRESS, *(pop.service_address for pop in internet.pops)]
    return [
        Address("lo", f"{address[family]}/{HOST_MASK[family]}")
        for address in every
        for family in FAMILIES
    ]


def _healthcheck(pop: Pop, hold_s: int) -> str:
    neighbors = [
        (network[family][0], network[family][1], asn_of(uplink.transit))
        for uplink in pop.uplinks
        for network in [access_network(uplink.transit, pop.number)]
        for family in FAMILIES
    ]
    return healthcheck_config(
        HealthcheckPop(
            router_id=identity_addresses(pop)[pop.uplinks[0].name]["v4"],
            asn=POP_ASN,
            hold_s=hold_s,
            neighbors=neighbors,
            watched=[prefixes[f] for prefixes in (pop.home, ANYCAST) for f in FAMILIES],
            standing=[pop.covers[f] for f in FAMILIES],
        )
    )


def _software(number: int, router: RouterChoice) -> RouterSoftware:
    if router == "mixed":
        return "bird" if number % 2 else "frr"
    return router


def _transit_node(
    internet: Internet, wiring: Wiring, number: int, plan: Transit, options: Options
) -> Node:
    software = _software(number, options.router)
    if software == "bird":
        files = {"/etc/bird/bird.conf": bird_config(plan)}
        directories: tuple[str, ...] = ("/run/bird",)
    else:
        files = {
            "/etc/frr/zebra.conf": zebra_config(plan),
            "/etc/frr/bgpd.conf": bgpd_config(plan),
            "/etc/frr/vtysh.conf": "",
        }
        directories = ("/run/frr", "/var/tmp/frr")  # noqa: S108 - FRR's own choice
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
    return Node(
        name=plan.name,
        role="transit",
        asn=plan.asn,
        image=ROUTER_IMAGE,
        programs=router_programs(software),
        files=files,
        addresses=tuple(addresses),
        sysctls=COMMON_SYSCTLS | FORWARDING,
        directories=directories,
        uplinks=tuple(dict.fromkeys(address.interface for address in addresses)),
    )


def _client_network(client: Client) -> tuple[tuple[str, str], tuple[str, str]]:
    """((transit v4, v6), (client v4, v6)), with prefix lengths."""
    v4 = client.networks["v4"].removesuffix("0/24")
    v6 = client.networks["v6"].removesuffix("/48")
    m4, m6 = CLIENT_MASK["v4"], CLIENT_MASK["v6"]
    return (f"{v4}1/{m4}", f"{v6}1/{m6}"), (f"{v4}10/{m4}", f"{v6}10/{m6}")


def _client_node(internet: Internet, client: Client) -> Node:
    far, near = _client_network(client)
    own = [address.partition("/")[0] for address in near]
    neighbor = {f: far[i].partition("/")[0] for i, f in enumerate(FAMILIES)}
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


def _controller_node(internet: Internet, options: Options) -> Node:
    network = access_network(*CONTROLLER_ACCESS)
    files = _shared_files(internet, options)
    files["/etc/ambicast/controller.yaml"] = controller_yaml(options.techniques)
    files[MOSQUITTO_FILE] = MOSQUITTO_CONFIG
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
