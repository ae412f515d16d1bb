"""The fleet file and the client list that the lab's controller and agents read.

Same format as an operator's (`configs/fleet.yaml`); only the timing is quicker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from lab.routers.policy import FAMILIES
from lab.topology.attachments import Attached, hosts_of
from lab.topology.internet import (
    ANYCAST,
    ANYCAST_ADDRESS,
    COVER_BLUE,
    COVER_RED,
    POP_ASN,
    Internet,
    Pop,
)

ZONE: Final = "cdn.example"
UNICAST_HOST: Final = 10
CAPACITY: Final = "400Gbit/s"
# Two cores bear the watching of so many PoPs ten times a second; of more it is done less often.
DENSE_POPS: Final = 12
TIMING: Final[dict[str, object]] = {
    "ttl": "20s",
    "tail": "5s",
    "watch_misses": 3,
    "quorum": 2,
    "deadman": "30s",
}


def fleet_yaml(internet: Internet, overrides: Mapping[str, object]) -> str:
    """fleet.yaml; `overrides` go over `timing`, key by key."""
    fleet = {
        "fleet": "lab",
        "asn": POP_ASN,
        "dns": {"zone": ZONE},
        "timing": {**TIMING, "watch_interval": pace(internet), **overrides},
        "limits": {
            "landing_load": "90%",
            "change": "100%",
            "pops_lost_at_once": {"count": 2, "share": "30%"},
        },
        "providers": _providers(internet),
        "covering": [c[family] for c in (COVER_RED, COVER_BLUE) for family in FAMILIES],
        "pops": {pop.name: _pop(pop) for pop in internet.pops},
        "services": {"www": _service(pace(internet))},
        "nameservers": {
            pop.name: {"host": hosts_of(pop)[0].name} for pop in internet.pops if pop.nameserver
        },
        "clients": {"sources": [{"kind": "prefixes", "file": "clients.csv"}]},
    }
    return yaml.safe_dump(fleet, sort_keys=False, width=99)


def pace(internet: Internet) -> str:
    """Between two probes of one path, and between two checks of one service."""
    pops = len(internet.pops)
    return f"{100 if pops <= DENSE_POPS else 20 * pops}ms"


def clients_csv(internet: Internet) -> str:
    """clients.csv: one row per client network and family."""
    rows = ["prefix,group,lat,lon,demand"]
    rows += [
        f"{client.networks[family]},{client.name},{client.lat},{client.lon},{client.demand}"
        for client in internet.clients
        for family in FAMILIES
    ]
    return "\n".join(rows) + "\n"


def identity_addresses(pop: Pop) -> dict[str, dict[str, str]]:
    """Uplink name -> family -> the address of the PoP's first host on that uplink."""
    return hosts_of(pop)[0].identity


def nameserver_addresses(internet: Internet) -> list[str]:
    """Where the fleet's nameservers answer: the identity addresses of their PoPs."""
    return [
        address
        for pop in internet.pops
        if pop.nameserver
        for by_family in identity_addresses(pop).values()
        for address in by_family.values()
    ]


def _providers(internet: Internet) -> dict[str, object]:
    every = {u.provider: u.asn for pop in internet.pops for h in hosts_of(pop) for u in h.uplinks}
    billing = {"model": "p95", "commit": "20Gbit/s", "price": "0.35 USD/Mbit/s"}
    return {name: {"asn": every[name], "billing": dict(billing)} for name in sorted(every)}


def _pop(pop: Pop) -> dict[str, object]:
    first, *others = hosts_of(pop)
    uplinks = {
        uplink.name: {
            "provider": uplink.provider,
            "interface": uplink.interface,
            **_ends(uplink),
            "capacity": "100Gbit/s",
            "max_prefixes": 100,
        }
        for uplink in first.uplinks
    }
    hosts: dict[str, object] = {
        first.name: {"roles": ["bgp", "dns"] if pop.nameserver else ["bgp"]}
    }
    for host in others:
        hosts[host.name] = {"roles": ["bgp"], "uplinks": {u.name: _ends(u) for u in host.uplinks}}
    place = {"city": pop.city, "country": pop.country, "lat": pop.lat, "lon": pop.lon}
    return {
        "place": place,
        "capacity": CAPACITY,
        "prefixes": [pop.home[family] for family in FAMILIES],
        "hosts": hosts,
        "uplinks": uplinks,
    }


def _ends(uplink: Attached) -> dict[str, object]:
    return {
        "neighbor": {family: uplink.network[family][0] for family in FAMILIES},
        "identity": {family: uplink.network[family][1] for family in FAMILIES},
    }


def _service(interval: str) -> dict[str, object]:
    check = {"kind": "http", "port": 80, "path": "/healthz"}
    dense = {"interval": interval, "fast_interval": interval, "rise": 3, "fall": 3}
    return {
        "names": [f"www.{ZONE}"],
        "anycast": {**ANYCAST_ADDRESS, "prefixes": [ANYCAST[family] for family in FAMILIES]},
        "unicast_host": UNICAST_HOST,
        "checks": [{**check, **dense}],
        "policy": {"strategy": "performance", "min_pops": 1},
    }
