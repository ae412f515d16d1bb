"""Whole topologies: `three_pops`, and the same with any number of PoPs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.routers.policy import FAMILIES, bfd_interval_ms
from lab.routers.transits import transit_plans
from lab.topology.attachments import hosts_of
from lab.topology.edges import edge_nodes
from lab.topology.internet import Internet, provider_space
from lab.topology.members import client_node, controller_node, host_node, transit_node
from lab.topology.options import Options
from lab.topology.places import THREE_POPS, many_pops, named
from lab.topology.shapes import PopPrograms, RouterChoice, Topology
from lab.topology.wiring import Wiring


def three_pops(
    router: RouterChoice,
    *,
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


def lab_of(name: str, options: Options) -> Topology:
    """The topology of that name: three-pops, two-hosts or ten-pops.

    Raises:
        KeyError: there is none of that name.
    """
    return build(named(name), options)


def build(internet: Internet, options: Options) -> Topology:
    """All nodes and links of `internet`."""
    wiring = Wiring(internet, options.delay)
    bfd_ms = bfd_interval_ms(options.bfd)
    plans = transit_plans(
        internet, wiring, options.hold_s, options.advertisement_interval_s, bfd_ms
    )
    nodes = [
        *(host_node(internet, pop, h, options) for pop in internet.pops for h in hosts_of(pop)),
        *edge_nodes(internet, wiring, options),
        *(transit_node(internet, wiring, n, plan, options) for n, plan in plans.items()),
        *(client_node(internet, client) for client in internet.clients),
        controller_node(internet, options),
    ]
    reachable = [provider_space(n)[f] for n in plans for f in FAMILIES]
    reachable += [client.networks[f] for client in internet.clients for f in FAMILIES]
    return Topology(
        name=internet.name, nodes=tuple(nodes), links=wiring.links, reachable=tuple(reachable)
    )
