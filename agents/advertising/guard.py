"""What the dead man's switch may withdraw should this agent fall silent, as of now.

The switch lives beside ExaBGP and knows nothing but what it was told last: which prefixes it may
withdraw, and the local checks that must all fail before it does. It may withdraw what this agent
would withdraw for an unfit service: not a prefix whose keeper this host is, nor one that stays
although it is unfit, nor anything an operator holds; and only while another host is known to be
fit for every service behind it. A prefix behind which there is a service that cannot be checked so
simply is left out: a silent agent alone is no reason to withdraw. So is one that only load makes
fail: overload never withdraws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agents.advertising.desire import Desired
from agents.advertising.state import Facts, HostState
from ambicast.model.identifiers import Family, ServiceName
from ambicast.model.services import CheckKind, Service

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
    """What may happen after ``after`` seconds of silence; ``held``: nothing, by an operator."""

    after: float
    groups: tuple[Group, ...] = ()
    held: bool = False


def guard(state: HostState, facts: Facts, desired: Desired) -> Guard:
    """What the switch shall be told now; a deterministic function of its arguments."""
    after = facts.fleet.timing.deadman
    if state.braking is not None and state.braking.holds:
        return Guard(after, held=True)
    if desired.advertisements is None:
        return Guard(after)
    stays = _kept_here(state, facts) | state.keeping.open
    blurred = _blurred_by_load(state)
    others = [each.fit for each in state.heard.words if not each.switched]
    groups: dict[tuple[LocalCheck, ...], list[str]] = {}
    for prefix in sorted({each.prefix for each in desired.advertisements | state.wire} - stays):
        behind = facts.table.behind(prefix)
        checks = tuple(_checks(state, facts, behind))
        checkable = behind and len(checks) == len(behind) and blurred.isdisjoint(behind)
        if checkable and any(fit.issuperset(behind) for fit in others):
            groups.setdefault(checks, []).append(prefix)
    return Guard(after, tuple(Group(checks, tuple(some)) for checks, some in groups.items()))


def _kept_here(state: HostState, facts: Facts) -> frozenset[str]:
    """The roles of this host; without an order they are guesses, and others know better."""
    roles, behind = state.roles(facts), facts.table.behind
    if state.held is not None:
        return roles
    return frozenset(each for each in roles if not state.heard.kept(each, behind(each)))


def _blurred_by_load(state: HostState) -> frozenset[str]:
    """The services that fail, as far as is known, for no other reason than load."""
    serving = state.serving
    return frozenset(serving.overload.excused).union(set(serving.checked) - set(serving.services))


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
