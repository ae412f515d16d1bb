"""What ExaBGP says to us: lines into a closed union of types.

Answers to commands and events share one stream and interleave; only their shape tells them apart.
An event starts with ``{ "exabgp"``, a row of the adj-rib-out with ``{"peer"``, the list of
sessions with ``[``; ``done`` and ``error`` end the answer to the oldest open command. Whatever
fits none of these is :class:`Unknown`: we have lost the thread and must attach anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import msgspec

from agents.bgp.neighbors import canonical
from agents.bgp.paths import Numbers, Path, communities
from agents.bgp.shapes import AttributesText, EventText, PeerText, RowText, UpdateText
from ambicast.model.identifiers import Family

_FAMILIES = {"ipv4 unicast": Family.V4, "ipv6 unicast": Family.V6}


class Done(msgspec.Struct, frozen=True):
    """The oldest open command was taken in: stored, but neither sent nor accepted by anyone."""


class Failed(msgspec.Struct, frozen=True):
    """The oldest open command was refused; ExaBGP gives the reason only to its own log."""


class SessionRow(msgspec.Struct, frozen=True):
    """One session in the answer to ``show neighbor json``."""

    neighbor: str
    established: bool
    families: tuple[Family, ...]


class Sessions(msgspec.Struct, frozen=True):
    """The answer to ``show neighbor json``."""

    rows: tuple[SessionRow, ...]


class RibRow(msgspec.Struct, frozen=True):
    """One line of the answer to ``show adj-rib out json``."""

    neighbor: str
    prefix: str
    path: Path


class Negotiated(msgspec.Struct, frozen=True):
    """Both OPENs were read; these families can travel."""

    neighbor: str
    families: tuple[Family, ...]


class Up(msgspec.Struct, frozen=True):
    """The session is established; ``at`` in seconds since the Unix epoch."""

    neighbor: str
    at: float


class Down(msgspec.Struct, frozen=True):
    """The session is gone, and with it all that was sent over it."""

    neighbor: str
    at: float
    reason: str


class Sent(msgspec.Struct, frozen=True):
    """The echo of an UPDATE that was written to the neighbor."""

    neighbor: str
    advertised: Mapping[str, Path]
    withdrawn: tuple[str, ...]


class Ignored(msgspec.Struct, frozen=True):
    """An event that changes nothing for us."""

    kind: str


class Unknown(msgspec.Struct, frozen=True):
    """A line that is none of these."""

    text: str


Said = (
    Done | Failed | Sessions | RibRow | Negotiated | Up | Down | Sent | Ignored | Unknown
)  # fmt: skip


_EVENT = msgspec.json.Decoder(EventText)
_ROW = msgspec.json.Decoder(RowText)
_PEERS = msgspec.json.Decoder(list[PeerText])


def understand(line: str) -> Said:
    """The meaning of one line, without its newline. Never raises."""
    if line == "done":
        return Done()
    if line == "error":
        return Failed()
    try:
        if line.startswith('{ "exabgp"'):
            return _event(_EVENT.decode(line))
        if line.startswith('{"peer"'):
            return _row(_ROW.decode(line))
        if line.startswith("["):
            return Sessions(tuple(_session(each) for each in _PEERS.decode(line)))
    except (msgspec.DecodeError, ValueError):
        return Unknown(line)
    return Unknown(line)


def _event(event: EventText) -> Said:
    about = event.neighbor
    if about is None:
        return Ignored(event.type)
    peer = str(ip_address(about.address.peer))
    match event.type, about.state:
        case "state", "up":
            return Up(peer, event.time)
        case "state", "down":
            return Down(peer, event.time, about.reason)
        case "negotiated", _ if about.negotiated is not None:
            return Negotiated(peer, _families(about.negotiated.families))
        case "update", _ if about.direction == "send" and about.message is not None:
            return _sent(peer, about.message.update)
        case _:
            return Ignored(event.type)


def _sent(peer: str, update: UpdateText | None) -> Said:
    if update is None:
        return Ignored("end of rib")
    advertised = {
        canonical(each.nlri): _path(next_hop, update.attribute)
        for by_next_hop in update.announce.values()
        for next_hop, several in by_next_hop.items()
        for each in several
    }
    withdrawn = tuple(canonical(each.nlri) for some in update.withdraw.values() for each in some)
    return Sent(peer, advertised, withdrawn)


def _row(row: RowText) -> RibRow:
    nlri = row.route.nlri
    path = _path(nlri.nexthop, row.route.attributes)
    return RibRow(str(ip_address(row.peer.address)), canonical(nlri.prefix), path)


def _session(peer: PeerText) -> SessionRow:
    return SessionRow(
        neighbor=str(ip_address(peer.peer.address)),
        established=peer.fsm == "ESTABLISHED",
        families=_families(peer.families),
    )


def _families(names: tuple[str, ...]) -> tuple[Family, ...]:
    return tuple(_FAMILIES[name] for name in names if name in _FAMILIES)


def _path(next_hop: str, attributes: AttributesText) -> Path:
    segments = (attributes.as_path[key] for key in sorted(attributes.as_path, key=int))
    return Path(
        next_hop=str(ip_address(next_hop)),
        as_path=tuple(asn for segment in segments for asn in segment.value),
        med=attributes.med,
        communities=_numbers(attributes.community, 2, 2**16),
        large_communities=_numbers(attributes.large_community, 3, 2**32),
    )


def _numbers(values: tuple[Numbers | str, ...], parts: int, bound: int) -> tuple[Numbers, ...]:
    """Echoes carry communities as numbers, the adj-rib-out as texts and names."""
    texts = tuple(
        value if isinstance(value, str) else ":".join(map(str, value)) for value in values
    )
    return communities(texts, parts, bound)
