"""A small fleet file in which nothing is wrong, and ways to plant a fault in it."""

from __future__ import annotations

from pathlib import Path

BASE = """\
fleet: example
asn: 64500
dns: {zone: cdn.example}
timing: {ttl: 20s, quorum: 1}
providers:
  north: {asn: 64601}
  south: {asn: 64602}
covering: [198.18.0.0/17, "2001:db8:1000::/37", 198.18.128.0/17, "2001:db8:1800::/37"]
pops:
  ams:
    place: {city: Amsterdam, country: NL, lat: 52.31, lon: 4.76}
    capacity: 400Gbit/s
    prefixes: [198.18.0.0/22, "2001:db8:1000::/46"]
    hosts: {ams-1: {roles: [bgp, dns]}}
    uplinks:
      one:
        provider: north
        interface: eth1
        neighbor: {v4: 10.0.1.1, v6: "fd00:0:1::1"}
        identity: {v4: 10.0.1.2, v6: "fd00:0:1::2"}
        capacity: 100Gbit/s
      two:
        provider: south
        interface: eth2
        neighbor: {v4: 10.0.2.1}
        identity: {v4: 10.0.2.2}
        capacity: 100Gbit/s
  osl:
    place: {city: Oslo, country: NO, lat: 60, lon: 11.1}
    capacity: 200Gbit/s
    prefixes: [198.18.128.0/22, "2001:db8:1800::/46"]
    hosts: {osl-1: {roles: [bgp]}}
    uplinks:
      one:
        provider: north
        interface: eth1
        neighbor: {v4: 10.0.3.1, v6: "fd00:0:3::1"}
        identity: {v4: 10.0.3.2, v6: "fd00:0:3::2"}
        capacity: 100Gbit/s
        max_prefixes: 50
      two:
        provider: south
        interface: eth2
        neighbor: {v4: 10.0.4.1}
        identity: {v4: 10.0.4.2}
        capacity: 100Gbit/s
services:
  www:
    names: [www.cdn.example]
    anycast:
      {v4: 198.19.254.1, v6: "2001:db8:a::1", prefixes: [198.19.254.0/23, "2001:db8:a::/47"]}
    unicast_host: 10
    checks:
      - {kind: http, port: 80, path: /healthz}
nameservers:
  ams: {host: ams-1}
clients: {sources: [{kind: prefixes, file: clients.csv}]}
"""

CLIENTS = """\
prefix,group,lat,lon,demand
198.19.1.0/24,nl,52.3,4.8,5Gbit/s
2001:db8:c01::/48,nl,52.3,4.8,2Gbit/s
198.19.2.0/24,no,60.2,11.1,1Gbit/s
"""


def write(folder: Path, text: str = BASE, clients: str = CLIENTS) -> Path:
    """A fleet file and its clients in ``folder``."""
    (folder / "clients.csv").write_text(clients)
    path = folder / "fleet.yaml"
    path.write_text(text)
    return path


def planted(old: str, new: str) -> tuple[str, int]:
    """The file with ``new`` in place of the first ``old``, and the line of the change."""
    before, found, after = BASE.partition(old)
    assert found, f"{old!r} is not in the file"
    return before + new + after, before.count("\n") + 1
