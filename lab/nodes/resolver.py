"""A client network's resolver: unbound, which sends ECS (RFC 7871) to the fleet's nameservers.

It forwards the steered zone only. The client subnet is taken from who asks, so clients must ask
from their own address, not from 127.0.0.1. A dead nameserver must cost little: after an unanswered
query another is tried within 50 ms once round-trip times are known, and a server that timed out is
probed again soon.
"""

from __future__ import annotations

from collections.abc import Sequence


def unbound_config(
    addresses: Sequence[str], networks: Sequence[str], zone: str, nameservers: Sequence[str]
) -> str:
    """unbound.conf.

    Args:
        addresses: the resolver's own, besides loopback.
        networks: who may ask.
        zone: forwarded to `nameservers`, with the client's subnet.
        nameservers: addresses of both families.
    """
    listen = "".join(f"  interface: {a}\n" for a in ("127.0.0.1", "::1", *addresses))
    allow = "".join(f"  access-control: {n} allow\n" for n in networks)
    subnet = "".join(f"  send-client-subnet: {n}\n" for n in nameservers)
    forward = "".join(f"  forward-addr: {n}\n" for n in nameservers)
    return f"""\
server:
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 0
  num-threads: 1
  ip-freebind: yes
  module-config: "subnetcache iterator"
  client-subnet-zone: {zone}
{subnet}  max-client-subnet-ipv4: 24
  max-client-subnet-ipv6: 56
  cache-min-ttl: 0
  cache-max-negative-ttl: 1
  qname-minimisation: no
  infra-host-ttl: 60
  infra-cache-min-rtt: 50
  infra-cache-max-rtt: 400
  infra-keep-probing: yes
  unknown-server-time-limit: 100
  outbound-msg-retry: 8
{listen}{allow}forward-zone:
  name: {zone}
{forward}"""
