"""Fleets to watch: every PoP has the uplinks ``north`` and ``south`` in both families."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ambicast.model.fleet import Fleet, Limits, Timing
from ambicast.model.identifiers import Family, Role
from ambicast.model.pops import Adjacency, Place, Pop, Uplink
from ambicast.model.services import Anycast, Service

UPLINKS = ("north", "south")


def uplink_of(number: int, place: int, name: str) -> Uplink:
    """Uplink ``name`` of the PoP with this number: 10.NUMBER.PLACE.0/30 and the like."""
    net = f"10.{number}.{place + 1}"
    net6 = f"fd00:{number}:0:{place + 1}:"
    return Uplink(
        name=name,
        provider=name,
        interface=f"eth{place + 1}",
        neighbor={Family.V4: f"{net}.1", Family.V6: f"{net6}:1"},
        identity={Family.V4: f"{net}.2", Family.V6: f"{net6}:2"},
        capacity=1e9,
        max_prefixes=100,
    )


def pop_of(number: int, name: str) -> Pop:
    """The PoP with this number: 198.18.(4 x NUMBER).0/22."""
    return Pop(
        name=name,
        place=Place(name, "XX", 0.0, 0.0),
        capacity=1e9,
        prefixes=(f"198.18.{4 * number}.0/22", f"2001:db8:{0x1000 + 4 * number:x}::/46"),
        hosts={f"{name}-1": (Role.BGP,)},
        uplinks={each: uplink_of(number, place, each) for place, each in enumerate(UPLINKS)},
    )


def fleet_of(names: Iterable[str] = ("ams", "fra", "lhr")) -> Fleet:
    """These PoPs and the service ``www``."""
    anycast = Anycast(
        {Family.V4: "198.19.254.1", Family.V6: "2001:db8:a::1"},
        ("198.19.254.0/23", "2001:db8:a::/47"),
    )
    return Fleet(
        name="test",
        asn=64500,
        zone="cdn.example",
        timing=Timing(),
        limits=Limits(),
        providers={},
        covering=(),
        pops={name: pop_of(number, name) for number, name in enumerate(names, start=1)},
        services={"www": Service("www", ("www.cdn.example",), anycast, 10, ())},
        nameservers={},
        clients={},
    )


def with_two_hosts(fleet: Fleet, name: str) -> Fleet:
    """The PoP ``name`` gets a second host behind its uplinks: 10.NUMBER.PLACE.3 and the like."""
    pop = fleet.pops[name]
    number = list(fleet.pops).index(name) + 1
    second = {
        each: Adjacency(
            f"eth{place + 1}",
            pop.uplinks[each].neighbor,
            {
                Family.V4: f"10.{number}.{place + 1}.3",
                Family.V6: f"fd00:{number}:0:{place + 1}::3",
            },
        )
        for place, each in enumerate(UPLINKS)
    }
    hosts = {**pop.hosts, f"{name}-2": (Role.BGP,)}
    crowded = replace(pop, hosts=hosts, adjacencies={f"{name}-2": second})
    return replace(fleet, pops={**fleet.pops, name: crowded})
