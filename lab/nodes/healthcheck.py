"""The baseline PoP: ExaBGP with its own healthcheck and its defaults, and no agent.

The healthcheck process advertises the home and anycast prefixes while the service answers, and
withdraws them when not (every 5 s; 3 failures, 1 s apart). The covering prefixes stand always.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class HealthcheckPop(msgspec.Struct, frozen=True, kw_only=True):
    """What the static configuration needs.

    Attributes:
        neighbors: (remote, local, remote AS) for every session of both families.
        watched: prefixes that stand and fall with the service.
        standing: prefixes that are always advertised.
    """

    router_id: str
    asn: int
    hold_s: int
    neighbors: Sequence[tuple[str, str, int]]
    watched: Sequence[str]
    standing: Sequence[str]


CHECK = "/usr/bin/env python3 -m lab.nodes.ask http://127.0.0.1/healthz"


def healthcheck_config(pop: HealthcheckPop) -> str:
    """exabgp.conf."""
    prefixes = " ".join(f"--ip {prefix}" for prefix in pop.watched)
    head = (
        "process watch {\n"
        "  run /usr/bin/env python3 -m exabgp healthcheck --no-syslog --no-ip-setup"
        f' --withdraw-on-down {prefixes} --cmd "{CHECK}";\n'
        "  encoder text;\n}\n"
    )
    return head + "".join(_neighbor(pop, *neighbor) for neighbor in pop.neighbors)


def _neighbor(pop: HealthcheckPop, remote: str, local: str, asn: int) -> str:
    v6 = ":" in remote
    standing = "".join(
        f"    route {prefix} next-hop self;\n" for prefix in pop.standing if (":" in prefix) == v6
    )
    return (
        f"neighbor {remote} {{\n"
        f"  router-id {pop.router_id};\n  local-address {local};\n"
        f"  local-as {pop.asn};\n  peer-as {asn};\n  hold-time {pop.hold_s};\n"
        f"  family {{ {'ipv6' if v6 else 'ipv4'} unicast; }}\n"
        "  api { processes [ watch ]; }\n"
        f"  static {{\n{standing}  }}\n}}\n"
    )
