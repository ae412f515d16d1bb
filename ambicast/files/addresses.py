"""Cross-references by address: what overlaps, what lies inside what, what cannot travel."""

from __future__ import annotations

from typing import Final

from ambicast.files.coverage import Coverage
from ambicast.files.document import ANY, Document, Found
from ambicast.files.faults import Severity, Step, spell
from ambicast.files.references import once
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import (
    ROUTABLE_FLOOR,
    PrefixError,
    contains,
    family,
    host,
    length,
    network,
    split,
    witness,
)

UPLINKS: Final = ("pops", ANY, "uplinks", ANY)
ADJACENCIES: Final = ("pops", ANY, "hosts", ANY, "uplinks", ANY)


def check_addresses(document: Document) -> None:
    """Adds every fault between addresses and prefixes of ``document``."""
    for check in (
        _families,
        _overlaps,
        _covers,
        _lengths,
        _independence,
        _anycast,
        _unicast,
        _room,
    ):
        check(document)


def _own(document: Document) -> tuple[Found, ...]:
    return tuple(document.find("pops", ANY, "prefixes", ANY))


def _anycast_prefixes(document: Document) -> tuple[Found, ...]:
    return tuple(document.find("services", ANY, "anycast", "prefixes", ANY))


def _covering(document: Document) -> tuple[Found, ...]:
    return tuple(document.find("covering", ANY))


def _families(document: Document) -> None:
    """Neighbor and identity address come in pairs; a host may use its uplink's neighbor."""
    for pair in (*document.find(*UPLINKS, "identity"), *document.find(*ADJACENCIES, "identity")):
        uplink = ("pops", pair.path[1], "uplinks", pair.path[-2])
        neighbor = document.get(*pair.path[:-1], "neighbor") or document.get(*uplink, "neighbor")
        if neighbor is None:
            continue
        for kind in Family:
            if (kind in pair.value) is not (kind in neighbor.value):
                only = pair if kind in pair.value else neighbor
                document.fault(only, f"{kind} here only", "the same families in both addresses")
        if not pair.value and not neighbor.value:
            document.fault(pair, "no address", "an address of at least one family")
    for anycast in document.find("services", ANY, "anycast"):
        if not {"v4", "v6"} & set(anycast.value):
            document.fault(anycast, "no address", "an address of at least one family")


def _overlaps(document: Document) -> None:
    seen = Coverage()
    ordered = sorted((*_own(document), *_shared_once(document)), key=lambda at: length(at.value))
    for each in ordered:
        over = next(seen.over(each.value), None)
        if over is not None:
            where = f"{over.value} ({spell(over.path)}, line {over.line})"
            allowed = "prefixes of PoPs and services that do not overlap"
            document.fault(each, f"{each.value}, which overlaps {where}", allowed)
        seen.add(each)
    once(document, _covering(document), "covering prefix")


def _shared_once(document: Document) -> tuple[Found, ...]:
    """Anycast prefixes; two services may share one, one service may not list it twice."""
    first: dict[str, Found] = {}
    for each in _anycast_prefixes(document):
        before = first.setdefault(each.value, each)
        if before is not each and before.path[1] == each.path[1]:
            document.fault(each, f"{each.value} again", "each prefix once")
    return tuple(first.values())


def _covers(document: Document) -> None:
    covers = Coverage(_covering(document))
    for each in _own(document):
        over = [cover for cover in covers.over(each.value) if cover.value != each.value]
        if not over:
            found = f"{each.value}, which no covering prefix contains"
            document.fault(each, found, "a prefix inside one of covering (the safety net)")
    pops = document.names("pops")
    for cover in _covering(document):
        under = {at.path[1] for at in _own(document) if contains(cover.value, at.value)}
        if len(pops) > 1 and len(under) == len(pops):
            document.fault(
                cover,
                f"{cover.value} over every PoP",
                "two covers, each advertised by the PoPs outside it: a PoP's own cover goes"
                " stale with it",
                Severity.WARNING,
            )


def _lengths(document: Document) -> None:
    for each in (*_own(document), *_anycast_prefixes(document), *_covering(document)):
        floor = ROUTABLE_FLOOR[family(each.value)]
        if length(each.value) > floor:
            document.fault(each, each.value, f"at most /{floor}: the Internet drops longer ones")
        elif not split(each.value, 1) and each.path[0] != "covering":
            document.fault(
                each,
                f"{each.value}, whose halves cannot be advertised",
                f"at most /{floor - 1}, or BFD or a short hold timer at every uplink",
                Severity.WARNING,
            )


def _independence(document: Document) -> None:
    """I14: what watches and steers is never reached through what it steers."""
    steered = Coverage((*_own(document), *_anycast_prefixes(document), *_covering(document)))
    identities = tuple(
        each for where in (UPLINKS, ADJACENCIES) for each in document.find(*where, "identity", ANY)
    )
    neighbors = tuple(
        each for where in (UPLINKS, ADJACENCIES) for each in document.find(*where, "neighbor", ANY)
    )
    nameservers = tuple(document.find("nameservers", ANY, "addresses", ANY))
    for each in (*identities, *neighbors, *nameservers):
        over = next(steered.over(each.value), None)
        if over is not None:
            found = f"{each.value} inside the steered prefix {over.value} (line {over.line})"
            document.fault(each, found, "an address outside every steered prefix (I14)")
    once(document, identities, "identity address")
    once(document, nameservers, "nameserver address")
    _elsewhere(document, identities, nameservers)


def _elsewhere(
    document: Document, identities: tuple[Found, ...], nameservers: tuple[Found, ...]
) -> None:
    """A nameserver answers at its own PoP's identity addresses, not at another's."""
    pop_of = {
        host: hosts.path[1]
        for hosts in document.find("pops", ANY, "hosts")
        for host in hosts.value
    }
    owner = {each.value: each.path[1] for each in identities}
    for each in nameservers:
        host = document.get("nameservers", each.path[1], "host")
        home = pop_of.get(host.value) if host else None
        if home and owner.get(each.value, home) != home:
            found = f"{each.value}, an identity address of the PoP {owner[each.value]}"
            document.fault(each, found, f"an address of the PoP {home}")


def _anycast(document: Document) -> None:
    addresses = tuple(
        found for kind in Family for found in document.find("services", ANY, "anycast", kind.value)
    )
    once(document, addresses, "anycast address")
    for each in addresses:
        prefixes = [at.value for at in document.find(*each.path[:-1], "prefixes", ANY)]
        if not any(contains(prefix, each.value) for prefix in prefixes):
            allowed = f"an address inside the service's prefixes ({', '.join(prefixes) or 'none'})"
            document.fault(each, each.value, allowed)
        _clash(document, each, each.value, prefixes)


def _unicast(document: Document) -> None:
    numbers = tuple(document.find("services", ANY, "unicast_host"))
    once(document, numbers, "unicast_host")
    first: dict[tuple[object, Family], Found] = {}
    for own in _own(document):
        first.setdefault((own.path[1], family(own.value)), own)
    for number in numbers:
        for own in first.values():
            last = network(own.value).num_addresses - (2 if family(own.value) is Family.V4 else 1)
            if number.value > last:
                found = f"{number.value}, which lies outside {own.value} ({spell(own.path)})"
                document.fault(number, found, f"a number from 1 to {last}")
                break
            if _clash(document, number, host(own.value, number.value), [own.value]):
                break


def _clash(document: Document, at: Found, mine: str, prefixes: list[str]) -> bool:
    """Whether ``mine`` is the witness address of a prefix or of a part of it (then a fault)."""
    for prefix in prefixes:
        for part in (prefix, *split(prefix, 1), *split(prefix, 2)):
            if _witness(part) == mine:
                document.fault(at, f"{mine}, the witness address of {part}", "another address")
                return True
    return False


def _witness(prefix: str) -> str | None:
    try:
        return witness(prefix)
    except PrefixError:  # shorter than the offset: a fault of its own already
        return None


def _room(document: Document) -> None:
    """I5: what an uplink carries in normal times must fit its ``max_prefixes``."""
    shared = {at.value for at in _anycast_prefixes(document)}
    covers = {at.value for at in _covering(document)}
    for room in document.find("pops", ANY, "uplinks", ANY, "max_prefixes"):
        own = {at.value for at in document.find("pops", room.path[1], "prefixes", ANY)}
        others = {each for each in covers if not any(contains(each, mine) for mine in own)}
        counts = [(_count(kind, own) * 3 + _count(kind, shared | others), kind) for kind in Family]
        least, kind = max(counts)
        if room.value < least:
            found = f"{room.value} for {least} {kind} prefixes (own, their halves, shared)"
            document.fault(room, found, f"at least {least}")
            continue
        helped = [
            (count + _takeover(document, room.path[1], kind), kind) for count, kind in counts
        ]
        most, kind = max(helped)
        if room.value < most:
            found = f"{room.value} where a takeover makes {most} {kind} prefixes"
            allowed = f"at least {most}, else this uplink helps no PoP that is lost"
            document.fault(room, found, allowed, Severity.WARNING)


def _takeover(document: Document, pop: Step, kind: Family) -> int:
    """Prefixes that come with the largest other PoP's loss: its own, halves, anycast halves."""
    others: dict[Step, set[str]] = {}
    for each in _own(document):
        others.setdefault(each.path[1], set()).add(each.value)
    largest = max((_count(kind, own) for name, own in others.items() if name != pop), default=0)
    return 3 * largest + 2 * _count(kind, {at.value for at in _anycast_prefixes(document)})


def _count(kind: Family, prefixes: set[str]) -> int:
    return sum(1 for prefix in prefixes if family(prefix) is kind)
