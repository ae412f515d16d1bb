"""BGP sessions as their routers' kernels see them: established TCP connections of port 179.

A session that ended and came back is another connection, with another port: it is noticed however
short the gap was, whatever software the router runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from lab.fibs.namespaces import inside

PORT: Final = 179
ESTABLISHED: Final = "01"


class Connection(msgspec.Struct, frozen=True):
    """One TCP connection of a router."""

    router: str
    peer: str
    local_port: int
    peer_port: int


class SessionSample(msgspec.Struct, frozen=True):
    """All BGP connections that stood at one moment."""

    t_ns: int
    standing: frozenset[Connection]


def look(
    t_ns: int, routers: Mapping[str, Path], strangers: frozenset[str] = frozenset()
) -> SessionSample:
    """The BGP connections of these routers (name -> network namespace).

    `strangers`: peers that are left out (the transits among themselves).
    """
    found = frozenset(
        each
        for router, namespace in routers.items()
        for each in _of(router, namespace)
        if each.peer not in strangers
    )
    return SessionSample(t_ns, found)


def ended(samples: Sequence[SessionSample], since_ns: int) -> list[tuple[int, Connection]]:
    """Connections that stood since `since_ns` or later and were gone in a later look, and when."""
    kept = [sample for sample in samples if sample.t_ns >= since_ns]
    return [
        (later.t_ns, connection)
        for before, later in pairwise(kept)
        for connection in sorted(
            before.standing - later.standing, key=lambda c: (c.router, c.peer)
        )
    ]


def _of(router: str, namespace: Path) -> Iterator[Connection]:
    with inside(namespace):
        tables = [Path(f"/proc/thread-self/net/{name}").read_text() for name in ("tcp", "tcp6")]
    for table in tables:
        for line in table.splitlines()[1:]:
            _, local, peer, state, *_ = line.split()
            (_, local_port), (address, peer_port) = _end(local), _end(peer)
            if state == ESTABLISHED and PORT in (local_port, peer_port):
                yield Connection(router, address, local_port, peer_port)


def _end(text: str) -> tuple[str, int]:
    """`0101A8C0:1F90` as the kernel writes it: words in its own byte order."""
    address, _, port = text.partition(":")
    words = [int(address[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(address), 8)]
    packed = b"".join(words)
    if len(packed) == 4:
        return str(IPv4Address(packed)), int(port, 16)
    wide = IPv6Address(packed)
    return str(wide.ipv4_mapped or wide), int(port, 16)
