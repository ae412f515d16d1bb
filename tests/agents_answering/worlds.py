"""Two PoPs, one service, two listed client groups: what the nameserver tests are told."""

from __future__ import annotations

from ambicast.contract.messages import ClientMap, Steering
from ambicast.model.fleet import Fleet, Limits, Nameserver, Timing
from ambicast.model.identifiers import Family, Role
from ambicast.model.pops import Place, Pop
from ambicast.model.services import Anycast, Service

ZONE = "cdn.example"
ANYCAST = ("198.19.254.1", "2001:db8:a::1")
AMS = ("198.18.0.10", "2001:db8:1000::a")
LHR = ("198.18.4.10", "2001:db8:1004::a")
NAMES = {"www": ("www.cdn.example",)}

C1, C1_V6, C2 = "198.19.1.0/24", "2001:db8:c01::/48", "198.19.2.0/24"


def fleet(addresses=("127.0.0.1",), ttl=20.0, names=("www.cdn.example",)):
    """The inventory, with one nameserver ``ams`` at ``addresses``."""
    www = Service(
        name="www",
        names=names,
        anycast=Anycast(
            dict(zip(Family, ANYCAST, strict=True)), ("198.19.254.0/23", "2001:db8:a::/47")
        ),
        unicast_host=10,
        checks=(),
    )
    return Fleet(
        name="test",
        asn=64500,
        zone=ZONE,
        timing=Timing(ttl=ttl),
        limits=Limits(),
        providers={},
        covering=(),
        pops={
            "ams": _pop("ams", ("198.18.0.0/22", "2001:db8:1000::/46")),
            "lhr": _pop("lhr", ("198.18.4.0/22", "2001:db8:1004::/46")),
        },
        services={"www": www},
        nameservers={"ams": Nameserver("ams", "ams", "ams-1", addresses)},
        clients={},
    )


def steering(ttl=20.0, **groups):
    """Answers of the service www."""
    return Steering(ttl=ttl, answers={"www": groups})


def client_map(names=NAMES, **groups):
    """A map; without groups that of the two client networks."""
    return ClientMap(zone=ZONE, names=names, groups=groups or {"c1": (C1, C1_V6), "c2": (C2,)})


def _pop(name, prefixes):
    hosts = {f"{name}-1": (Role.BGP, Role.DNS)}
    return Pop(name, Place(name, "XX", 0.0, 0.0), 1e9, prefixes, hosts, {})
