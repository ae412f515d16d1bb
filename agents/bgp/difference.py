"""From what ExaBGP holds to what it shall hold, in safe order.

Everything that is advertised or changed comes before anything that is withdrawn, on all sessions:
traffic always has somewhere to go (a session that is full: :mod:`agents.bgp.room`). A change
needs no withdrawal (RFC 4271 section 9.1.4: a newer route of the same prefix replaces the older).
Prefixes with the same path on the same session travel in one command, and so in one UPDATE where
ExaBGP groups (v4): a neighbor that paces its own updates (MRAI) then passes all of them on at
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from agents.bgp.neighbors import Neighbor, canonical
from agents.bgp.paths import Path, path_of
from ambicast.model.prefixes import family, network
from ambicast.model.routes import Advertisement

# Neighbor address -> prefix -> path.
Rib = Mapping[str, Mapping[str, Path]]

LARGEST_GROUP = 200


class Advertise(msgspec.Struct, frozen=True):
    """Put these prefixes into one session's adj-rib-out, all with this path."""

    neighbor: str
    path: Path
    prefixes: tuple[str, ...]


class Withdraw(msgspec.Struct, frozen=True):
    """Take these prefixes out of one session's adj-rib-out."""

    neighbor: str
    prefixes: tuple[str, ...]


Change = Advertise | Withdraw


def diff(desired: Rib, actual: Rib) -> tuple[Change, ...]:
    """The changes that make ``desired`` of ``actual``; a session missing in either is empty."""
    return (*_advertised(desired, actual), *_withdrawn(desired, actual))


def _advertised(desired: Rib, actual: Rib) -> Iterator[Advertise]:
    for neighbor in sorted(desired):
        held = actual.get(neighbor, {})
        groups: dict[Path, list[str]] = {}
        for prefix, path in desired[neighbor].items():
            if held.get(prefix) != path:
                groups.setdefault(path, []).append(prefix)
        for path, prefixes in groups.items():
            for some in _portions(prefixes):
                yield Advertise(neighbor, path, some)


def _withdrawn(desired: Rib, actual: Rib) -> Iterator[Withdraw]:
    for neighbor in sorted(actual):
        kept = desired.get(neighbor, {})
        for some in _portions(prefix for prefix in actual[neighbor] if prefix not in kept):
            yield Withdraw(neighbor, some)


def _portions(prefixes: Iterable[str]) -> Iterator[tuple[str, ...]]:
    every = sorted(prefixes)
    for start in range(0, len(every), LARGEST_GROUP):
        yield tuple(every[start : start + LARGEST_GROUP])


def applied(rib: Rib, changes: Iterable[Change]) -> dict[str, dict[str, Path]]:
    """``rib`` after ``changes``: what we expect to read back."""
    after = {neighbor: dict(paths) for neighbor, paths in rib.items()}
    for change in changes:
        paths = after.setdefault(change.neighbor, {})
        match change:
            case Advertise(path=path, prefixes=prefixes):
                paths.update(dict.fromkeys(prefixes, path))
            case Withdraw(prefixes=prefixes):
                for prefix in prefixes:
                    paths.pop(prefix, None)
    return after


def placed(
    advertisements: Iterable[Advertisement], sessions: Mapping[str, Neighbor], asn: int
) -> dict[str, dict[str, Path]]:
    """Advertisements as paths on the session of their uplink and family.

    Raises:
        ValueError: an uplink that does not speak the prefix's family, a text that is no prefix,
            an attribute that cannot be sent, or one prefix twice on one session.
    """
    places = {(str(each.uplink), each.family): each for each in sessions.values()}
    found: dict[str, dict[str, Path]] = {address: {} for address in sessions}
    for wanted in sorted(advertisements):
        network(wanted.prefix)
        place = places.get((wanted.uplink, family(wanted.prefix)))
        if place is None:
            known = ", ".join(f"{uplink} {kind}" for uplink, kind in sorted(places))
            raise ValueError(
                f"{wanted.prefix} by {wanted.uplink!r}: no such session; there are {known}"
            )
        prefix = canonical(wanted.prefix)
        if prefix in found[place.address]:
            raise ValueError(f"{prefix} by {wanted.uplink!r}: wanted twice, with two attributes")
        found[place.address][prefix] = path_of(wanted.attributes, asn, place.identity)
    return found
