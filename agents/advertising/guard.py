"""What the dead man's switch may withdraw should this agent fall silent, as of now.

The switch lives beside ExaBGP and knows nothing but what it was told last: which prefixes it may
withdraw, and the local checks that must all fail before it does. It may withdraw what this agent
would withdraw for an unfit service: not a prefix whose keeper this PoP is, and only while another
PoP is known to be fit for every service behind it. A prefix behind which there is a service that
cannot be checked so simply is left out: a silent agent alone is no reason to withdraw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agents.advertising.desire import Desired
from agents.advertising.observations import Told
from agents.advertising.state import Facts, HostState
from ambicast.model.identifiers import Family, ServiceName
from ambicast.model.services import CheckKind, Service

# A word heard longer ago is that of nobody. Words come with every probe reply (0.1 s).
HEARD_WITHIN = 2.0

_LOOPBACK = {Family.V4: "127.0.0.1", Family.V6: "::1"}
# A listener is all the switch can look for behind TLS; a nameserver it cannot ask.
_CHECKED_AS = {CheckKind.HTTP: "http", CheckKind.HTTPS: "tcp", CheckKind.TCP: "tcp"}


class LocalCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check from this host of a service on this host; ``kind`` is ``http`` or ``tcp``.

    ``name`` is the Host header; ``timeout`` in seconds, for each of the tries.
    """

    kind: str
    address: str
    port: int
    path: str
    name: str
    timeout: float


class Group(msgspec.Struct, frozen=True):
    """Prefixes that may be withdrawn once every one of the checks fails."""

    checks: tuple[LocalCheck, ...]
    prefixes: tuple[str, ...]


class Guard(msgspec.Struct, frozen=True):
    """What may happen after ``after`` seconds of silence."""

    after: float
    groups: tuple[Group, ...] = ()


def guard(state: HostState, facts: Facts, desired: Desired, now: float) -> Guard:
    """What the switch shall be told now; a deterministic function of its arguments."""
    after = facts.fleet.timing.deadman
    if desired.advertisements is None or state.held is None:
        return Guard(after)
    others = tuple(_fit_elsewhere(state, facts, now))
    keepers = state.held.order.keepers
    groups: dict[tuple[LocalCheck, ...], list[str]] = {}
    for prefix in sorted({each.prefix for each in desired.advertisements | state.wire}):
        behind = facts.table.behind(prefix)
        checks = tuple(_checks(state, facts, behind))
        if keepers.get(prefix) == facts.pop.name or len(checks) < len(behind) or not behind:
            continue
        if any(each.fit.issuperset(behind) for each in others):
            groups.setdefault(checks, []).append(prefix)
    return Guard(after, tuple(Group(checks, tuple(some)) for checks, some in groups.items()))


def _fit_elsewhere(state: HostState, facts: Facts, now: float) -> Iterator[Told]:
    """Words of other PoPs that speak now, and can be reached."""
    if state.watched is None or state.watched.paused:
        return
    reached = {each.pop for each in state.watched.seen if each.up}
    for word in state.watched.told.values():
        recent = now - word.heard <= HEARD_WITHIN
        speaks = word.voice and not word.switched and recent
        if word.pop != facts.pop.name and word.pop in reached and speaks:
            yield word


def _checks(state: HostState, facts: Facts, behind: Sequence[ServiceName]) -> Iterator[LocalCheck]:
    for name in behind:
        service = facts.fleet.services[name]
        check = service.checks[0] if service.checks else None
        if check is not None and check.kind in _CHECKED_AS:
            yield LocalCheck(
                kind=_CHECKED_AS[check.kind],
                address=_where(service, state),
                port=check.port,
                path=check.path,
                name=check.name or next(iter(service.names), "localhost"),
                timeout=check.timeout,
            )


def _where(service: Service, state: HostState) -> str:
    """Where the agent's own checks go: the anycast address, or loopback where it is not here."""
    family = Family.V4 if Family.V4 in service.anycast.addresses else Family.V6
    there = state.kernel.terminated if state.kernel else frozenset()
    address = service.anycast.addresses.get(family)
    return address if address is not None and address in there else _LOOPBACK[family]
