"""ExaBGP's two files, rendered once per start and never reloaded.

A reload after a faulty file kills the helper and then the daemon, and a missing brace is accepted
as "no neighbors"; so there is no reload: another configuration means another process.

What is left out matters as much. No ``receive``: ExaBGP then skips the neighbor's UPDATEs without
parsing them (a full table costs nothing), and nothing a neighbor sends reaches our ears. No
graceful restart unless asked for: with it, a dying process leaves its routes behind, and a stop is
no drain (see :mod:`agents.bgp.farewell`). Where it is asked for, the end of the table is for the
agent to say (``manual-eor``): ExaBGP would say it at once, and the neighbor drop what was not yet
sent again. ``send { parsed; update; }`` is the echo of every UPDATE as it is written to the
neighbor: the only proof of "sent" there is.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agents.bgp.neighbors import Neighbor, by_address
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from ambicast.model.pops import Pop

_FAMILY = {Family.V4: "ipv4", Family.V6: "ipv6"}
_UNWRITABLE = frozenset(" \t\n;{}[]()\"'#\\")


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """Everything ExaBGP needs to know.

    Attributes:
        pop: whose sessions these are.
        asn: our own AS number.
        provider_asn: uplink name -> its provider's AS number.
        router_id: BGP identifier, an IPv4 address in dotted form (RFC 6286).
        bridge: the unix socket the agent attaches to.
        python: the interpreter that runs the bridge (absolute path).
        script: the bridge itself (absolute path).
        hold: hold time in seconds, 0 or at least 3 (RFC 4271 section 4.2).
        graceful: restart time in seconds (RFC 4724), at most 4095; 0 is no graceful restart.
        responder: the unix datagram socket that is told when the dead man's switch fires.
    """

    pop: Pop
    asn: int
    provider_asn: Mapping[str, int]
    router_id: str
    bridge: str
    python: str
    script: str
    hold: int = 9
    graceful: int = 0
    responder: str = "/run/ambicast/responder.sock"


class Rendered(msgspec.Struct, frozen=True):
    """The text of both files."""

    configuration: str
    environment: str


def provider_asns(fleet: Fleet, pop: PopName) -> dict[str, int]:
    """Uplink name -> AS number of its provider, for every uplink of ``pop``."""
    uplinks = fleet.pops[pop].uplinks.values()
    return {uplink.name: fleet.providers[uplink.provider].asn for uplink in uplinks}


def default_router_id(pop: Pop) -> str:
    """The first v4 identity address in uplink order: unique, because identities are.

    Raises:
        ValueError: the PoP has no v4 uplink.
    """
    for _, uplink in sorted(pop.uplinks.items()):
        if Family.V4 in uplink.identity:
            return uplink.identity[Family.V4]
    raise ValueError(f"pop {pop.name} has no v4 identity address: give it a router id")


def render(speaker: Speaker) -> Rendered:
    """Both files of ``speaker``; the same speaker always gives the same text.

    Raises:
        ValueError: a path or the hold time cannot be written down; the text says why.
    """
    _refuse_bad(speaker)
    sessions = by_address(speaker.pop).values()
    parts = [_process(speaker), *(_neighbor(speaker, each) for each in sessions)]
    return Rendered("\n".join(parts), _ENVIRONMENT)


def _refuse_bad(speaker: Speaker) -> None:
    for name in ("bridge", "python", "script", "responder"):
        path = getattr(speaker, name)
        if not path.startswith("/") or _UNWRITABLE & set(path):
            raise ValueError(
                f"{name} {path!r}: an absolute path without spaces, quotes or brackets is allowed"
            )
    if speaker.hold != 0 and not 3 <= speaker.hold <= 65535:
        raise ValueError(f"hold {speaker.hold}: 0 or 3 to 65535 seconds are allowed")
    if not 0 <= speaker.graceful <= 4095:
        raise ValueError(f"graceful {speaker.graceful}: 0 to 4095 seconds are allowed")


def _process(speaker: Speaker) -> str:
    return f"""\
process bridge {{
  run {speaker.python} -I {speaker.script} {speaker.bridge} {speaker.responder};
  encoder json;
}}
"""


def _neighbor(speaker: Speaker, session: Neighbor) -> str:
    graceful = speaker.graceful or "disable"
    manual = "manual-eor true;" if speaker.graceful else "manual-eor false;"
    return f"""\
neighbor {session.address} {{
  description "{session.uplink} {session.family}";
  router-id {speaker.router_id};
  local-address {session.identity};
  local-as {speaker.asn};
  peer-as {speaker.provider_asn[session.uplink]};
  hold-time {speaker.hold};
  adj-rib-in false;
  adj-rib-out true;
  group-updates true;
  {manual}
  capability {{ graceful-restart {graceful}; route-refresh enable; asn4 enable; }}
  family {{ {_FAMILY[session.family]} unicast; }}
  api {{
    processes [ bridge ];
    neighbor-changes;
    negotiated;
    send {{ parsed; update; }}
  }}
}}
"""


# speed: a command wakes ExaBGP at once whatever the tick (10 ms here); a shorter tick only heats.
# bind: also listen, because after a silence the neighbor's connection comes sooner than our own
# SYN, which the kernel repeats ever more rarely; an address per session instead would make one
# tentative IPv6 address at boot stop the whole daemon.
_ENVIRONMENT = """\
[exabgp.api]
ack = true
chunk = 1000
cli = false
respawn = true
show-routes-format = v2
terminate = true

[exabgp.daemon]
daemonize = false
drop = false
user = root

[exabgp.log]
destination = stdout
enable = true
level = WARNING

[exabgp.reactor]
speed = 1.0

[exabgp.tcp]
bind = 0.0.0.0 ::
"""
