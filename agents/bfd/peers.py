"""Every uplink neighbor as a BFD peer, and what is made of its session's state.

A neighbor that does not speak BFD leaves its session down for ever, and says nothing about the
path. So only a session that has been up since we look counts, and from then on "down" means that
packets no longer pass, one way or the other (RFC 5880 section 6.8.4). A session the neighbor shut
down on purpose (diagnostic 7) says nothing either (RFC 5882 section 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

import msgspec

from ambicast.model.identifiers import Family
from ambicast.model.pops import Pop

ADMINISTRATIVELY_DOWN = 7

Key = tuple[str, str]  # the neighbor's address and ours, canonical text


class Peer(NamedTuple):
    """One neighbor: where a session with it belongs."""

    uplink: str
    family: Family


class StatusText(msgspec.Struct, rename="kebab"):
    """A notification, as far as we read it; field names are bfdd's."""

    op: str
    peer_address: str = ""
    local_address: str = ""
    state: str = ""
    remote_diagnostics: int = 0


_STATUS = msgspec.json.Decoder(StatusText)


def peers_of(pop: Pop) -> dict[Key, Peer]:
    """Every neighbor of ``pop``, in a fixed order."""
    return {
        (str(ip_address(uplink.neighbor[kind])), str(ip_address(uplink.identity[kind]))): Peer(
            uplink.name, kind
        )
        for _, uplink in sorted(pop.uplinks.items())
        for kind in uplink.families
    }


def wanted(peers: Mapping[Key, Peer], interval: float, multiplier: int) -> dict[str, Any]:
    """The body that has all of them watched.

    No interface is named: bfdd would need zebra to know it, and our address says it all: packets
    from an identity address leave by its uplink.

    Args:
        peers: as :func:`peers_of` gives them.
        interval: seconds between packets, both ways.
        multiplier: packets in a row that must be missed.
    """
    milliseconds = round(interval * 1000)
    body: dict[str, Any] = {"ipv4": [], "ipv6": []}
    for (neighbor, own), peer in peers.items():
        body[f"ip{peer.family}"].append(
            {
                "peer-address": neighbor,
                "local-address": own,
                "detect-multiplier": multiplier,
                "receive-interval": milliseconds,
                "transmit-interval": milliseconds,
            }
        )
    return {kind: several for kind, several in body.items() if several}


class Sessions:
    """The sessions of one attachment to bfdd."""

    def __init__(self, peers: Mapping[Key, Peer]) -> None:
        self._peers = peers
        self._up: dict[Peer, bool] = {}

    def hear(self, body: bytes) -> None:
        """Takes in a notification.

        Raises:
            msgspec.DecodeError: it is none.
        """
        said = _STATUS.decode(body)
        if said.op != "status":
            return
        key = str(ip_address(said.peer_address)), str(ip_address(said.local_address or "::"))
        peer = self._peers.get(key)
        if peer is None:
            return
        if said.state == "up":
            self._up[peer] = True
        elif said.remote_diagnostics == ADMINISTRATIVELY_DOWN:
            self._up.pop(peer, None)
        elif peer in self._up:
            self._up[peer] = False

    @property
    def up(self) -> dict[str, dict[Family, bool]]:
        """Uplink -> family -> whether packets pass; nothing of those that say nothing."""
        found: dict[str, dict[Family, bool]] = {}
        for peer in self._peers.values():
            if peer in self._up:
                found.setdefault(peer.uplink, {})[peer.family] = self._up[peer]
        return found
