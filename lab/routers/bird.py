"""A transit in BIRD 2's language.

Own prefixes come from `static` protocols and stay out of the kernel: the connected networks below
them forward, and a packet for the rest of an aggregate is refused rather than looped. Everything
learnt by BGP goes to the kernel. BIRD watches the interface's carrier by itself (`check link`).
"""

from __future__ import annotations

from lab.routers.policy import (
    BFD_MULTIPLIER,
    CONNECT_RETRY_S,
    CUSTOMER_TAG,
    FAMILIES,
    LOCAL_PREFERENCE,
    LONGEST,
    Family,
    Session,
    Transit,
)

CHANNEL = {"v4": "ipv4", "v6": "ipv6"}


def bird_config(transit: Transit) -> str:
    """The whole bird.conf of `transit`.

    Raises:
        ValueError: an advertisement interval was asked for.
    """
    if transit.advertisement_interval_s:
        msg = "advertisement_interval_s: BIRD has no such timer; use router frr"
        raise ValueError(msg)
    parts = [_head(transit)]
    if transit.bfd_ms:
        parts.append(_bfd(transit))
    parts += [_family(transit, family) for family in FAMILIES]
    parts += [_session(transit, s, family) for s in transit.sessions for family in FAMILIES]
    return "\n".join(parts)


def _head(transit: Transit) -> str:
    return f"""\
log stderr {{ warning, error, fatal, bug, auth, remote }};
router id {transit.router_id};
timeformat protocol iso long us;
protocol device {{ scan time 5; }}
"""


def _bfd(transit: Transit) -> str:
    """Which interfaces: those of the sessions that ask for it."""
    interval = f"interval {transit.bfd_ms} ms; multiplier {BFD_MULTIPLIER};"
    return f'protocol bfd {{\n  interface "*" {{ {interval} }};\n}}\n'


def _family(transit: Transit, family: Family) -> str:
    """Own routes, the kernel, and the filter that PoPs pass through."""
    channel = CHANNEL[family]
    own = "\n".join(f"  route {prefix} blackhole;" for prefix in transit.originated[family])
    longest = LONGEST[family]
    steered = ", ".join(f"{p}{{{p.partition('/')[2]},{longest}}}" for p in transit.steered[family])
    return f"""\
protocol static own_{family} {{
  {channel};
{own}
}}
protocol kernel kernel_{family} {{
  scan time 5;{"" if not transit.multipath else chr(10) + "  merge paths on;"}
  {channel} {{ import none; export where source = RTS_BGP; }};
}}
define STEERED_{family} = [ {steered} ];
"""


def _session(transit: Transit, session: Session, family: Family) -> str:
    hold = transit.hold_s
    return f"""\
protocol bgp {session.name}_{family} {{
  local {session.local[family]} as {transit.asn};
  neighbor {session.remote[family]} as {session.asn};
  interface "{session.interface}";
  direct;
  hold time {hold};
  bfd {"on" if transit.bfd_ms and session.relation == "pop" else "off"};
  keepalive time {max(1, hold // 3)};
  connect delay time {CONNECT_RETRY_S};
  connect retry time {CONNECT_RETRY_S};
  error wait time 1, {CONNECT_RETRY_S};
  error forget time 2;
  {CHANNEL[family]} {{
    import filter {{{_import(transit, session, family)}
    }};
    export {_export(transit, session)};
  }};
}}
"""


def _import(transit: Transit, session: Session, family: Family) -> str:
    tag = f"({transit.asn}, {CUSTOMER_TAG})"
    lines = [f"net.len > {LONGEST[family]}"]
    if session.relation == "pop":
        lines.append(f"net !~ STEERED_{family}")
    body = "".join(f"\n      if {condition} then reject;" for condition in lines)
    body += f"\n      bgp_community.delete([{tag}]);"
    if session.is_customer:
        body += f"\n      bgp_community.add({tag});"
    body += f"\n      bgp_local_pref = {LOCAL_PREFERENCE[session.relation]};\n      accept;"
    return body


def _export(transit: Transit, session: Session) -> str:
    if session.is_customer:
        return "all"
    return f"where source = RTS_STATIC || bgp_community ~ [({transit.asn}, {CUSTOMER_TAG})]"
