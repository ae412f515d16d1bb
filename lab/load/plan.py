"""What one client is asked to send; travels as JSON on the load process's command line."""

from __future__ import annotations

from typing import Final

import msgspec

from lab.scenarios.targets import Target

PATIENCE_NS: Final = 1_000_000_000  # no answer within 1 s: lost


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One open-loop stream of requests.

    Attributes:
        kind: udp, tcp, http, tcp-stream or dns.
        rate: requests a second.
        phase: share of the interval by which its first request is late, so that probes interleave.
    """

    name: str
    kind: str
    target: Target
    rate: float
    phase: float = 0.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All probes of one client.

    Attributes:
        resolver: address of the client network's resolver.
        records: file that takes one line per request.
    """

    probes: tuple[Probe, ...]
    resolver: str
    records: str
