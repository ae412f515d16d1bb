"""The texts Knot is started with: ``knot.conf``, the zone of the first moment, and ``geo.conf``.

The journal keeps what changed since the zone file (``journal-content: changes``, ``zonefile-load:
whole``, never flushed): of the combinations that exist this one keeps the last answers over
``kill -9``. The zone file itself has the anycast answers, so that a nameserver without any message
from anybody answers every service name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from agents.answering.generation import Generation
from agents.answering.naming import absolute, group_owner, nameserver_owner, sentinel_owner
from agents.answering.records import (
    ADDRESS_TYPE,
    Names,
    desired,
    names_of,
    whole_seconds,
)
from agents.answering.sentinel import sentinel_group
from agents.nameserver.mmdb import KEY
from agents.nameserver.places import Places
from ambicast.contract.codec import Stamp
from ambicast.model.fleet import Fleet
from ambicast.model.prefixes import family

# RFC 2308: how long "no such name" is kept; short, because names come with the fleet file.
_NEGATIVE_TTL = 20
_SLOW_TTL = 3600


def render_knot(fleet: Fleet, places: Places, listen: Sequence[str], port: int) -> str:
    """``knot.conf`` for a server at ``listen`` (addresses) and ``port``."""
    addresses = ", ".join(f'"{each}@{port}"' for each in listen)
    return f"""\
server:
    rundir: {_quoted(places.socket.parent)}
    listen: [ {addresses} ]
    edns-client-subnet: on
    version: ""
    identity: ""
control:
    listen: {_quoted(places.socket)}
database:
    storage: {_quoted(places.database)}
log:
  - target: stderr
    any: warning
    server: info
mod-geoip:
  - id: clients
    config-file: {_quoted(places.live_map / "geo.conf")}
    ttl: {whole_seconds(fleet.timing.ttl)}
    mode: geodb
    geodb-file: {_quoted(places.live_map / "map.mmdb")}
    geodb-key: [ {KEY} ]
template:
  - id: default
    storage: {_quoted(places.directory)}
    journal-content: changes
    zonefile-load: whole
    zonefile-sync: -1
zone:
  - domain: "{absolute(fleet.zone)}"
    file: {_quoted(places.zone)}
    module: mod-geoip/clients
"""


def render_zone(fleet: Fleet) -> str:
    """The zone before any steering: nameservers, and anycast for everybody."""
    apex = absolute(fleet.zone)
    servers = {nameserver_owner(fleet.zone, each): each for each in sorted(fleet.nameservers)}
    first = min(servers)
    soa = f"{first} hostmaster.{apex} 1 {_SLOW_TTL} 600 604800 {_NEGATIVE_TTL}"
    lines = [f"{apex} {_SLOW_TTL} SOA {soa}"]
    for owner, name in servers.items():
        lines.append(f"{apex} {_SLOW_TTL} NS {owner}")
        lines += [
            f"{owner} {_SLOW_TTL} {ADDRESS_TYPE[family(address)]} {address}"
            for address in fleet.nameservers[name].addresses
        ]
    records = desired(fleet, None, names_of(fleet), Generation())
    for key in sorted(records):
        each = records[key]
        lines += [f"{each.owner} {each.ttl} {each.type} {data}" for data in each.data]
    return "\n".join(lines) + "\n"


def render_geo(zone: str, names: Names, groups: Iterable[str], stamp: Stamp) -> str:
    """``geo.conf``: which alias each group gets for each name, and the sentinel's proof."""
    ordered = sorted(groups)
    lines = []
    for service in sorted(names):
        for name in sorted(names[service]):
            lines.append(f"{absolute(name)}:")
            for group in ordered:
                lines.append(f'  - geo: "{group}"')
                lines.append(f"    CNAME: {group_owner(zone, service, group)}")
    sentinel = sentinel_group(stamp)
    lines += [f"{sentinel_owner(zone)}:", f'  - geo: "{sentinel}"', f'    TXT: "{sentinel}"']
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    return f'"{path}"'
