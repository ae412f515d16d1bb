"""A path: what a prefix is advertised with, exact enough to compare what we want with what is.

An :class:`~ambicast.model.routes.Attributes` says what we mean ("two prepends"); a path says what
the neighbor gets (next hop, the whole AS_PATH, numbers for communities). Wanted and actual are
compared as paths, so a route somebody else wrote into ExaBGP never passes for ours.
"""

from __future__ import annotations

import msgspec

from ambicast.model.routes import Attributes

# RFC 1997, RFC 3765 and RFC 7999: the ones ExaBGP shows by name.
_WELL_KNOWN = {
    "no-export": (65535, 65281),
    "no-advertise": (65535, 65282),
    "no-export-subconfed": (65535, 65283),
    "no-peer": (65535, 65284),
    "blackhole": (65535, 666),
}

Numbers = tuple[int, ...]


class Path(msgspec.Struct, frozen=True, order=True):
    """Path attributes as they travel; communities sorted by number.

    ``as_path`` is whole: our own AS number is in it at least once.
    """

    next_hop: str
    as_path: Numbers
    med: int | None = None
    communities: tuple[Numbers, ...] = ()
    large_communities: tuple[Numbers, ...] = ()


def path_of(attributes: Attributes, asn: int, next_hop: str) -> Path:
    """What ``attributes`` mean when AS ``asn`` says them with this next hop.

    Raises:
        ValueError: an attribute no UPDATE can carry; the text says what is allowed.
    """
    if attributes.prepend < 0:
        raise ValueError(f"prepend {attributes.prepend}: 0 or more is allowed")
    if attributes.med is not None and not 0 <= attributes.med < 2**32:
        raise ValueError(f"med {attributes.med}: 0 to {2**32 - 1} is allowed")
    return Path(
        next_hop=next_hop,
        as_path=(asn,) * (attributes.prepend + 1),
        med=attributes.med,
        communities=communities(attributes.communities, 2, 2**16),
        large_communities=communities(attributes.large_communities, 3, 2**32),
    )


def attributes_of(path: Path) -> Attributes:
    """What a path looks like to people; its inverse :func:`path_of` where the path is ours."""
    return Attributes(
        prepend=max(len(path.as_path) - 1, 0),
        med=path.med,
        communities=tuple(sorted(spell(each) for each in path.communities)),
        large_communities=tuple(sorted(spell(each) for each in path.large_communities)),
    )


def spell(community: Numbers) -> str:
    """A community as ``asn:value`` or ``asn:x:y``."""
    return ":".join(map(str, community))


def communities(texts: tuple[str, ...], parts: int, bound: int) -> tuple[Numbers, ...]:
    """Communities of ``parts`` numbers, each below ``bound``, sorted and without repetitions.

    Raises:
        ValueError: a text is none; the message names it and says what is allowed.
    """
    return tuple(sorted({_community(text, parts, bound) for text in texts}))


def _community(text: str, parts: int, bound: int) -> Numbers:
    if parts == 2 and text in _WELL_KNOWN:
        return _WELL_KNOWN[text]
    pieces = text.split(":")
    if len(pieces) == parts and all(piece.isdecimal() for piece in pieces):
        numbers = tuple(int(piece) for piece in pieces)
        if max(numbers) < bound:
            return numbers
    raise ValueError(f"community {text!r}: {parts} numbers from 0 to {bound - 1} with colons")
