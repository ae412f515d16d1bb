"""How the keeper's role passes from host to host, in words alone.

A level, not a message: every word carries what its host offers and what it keeps *now*, and each
hears it again with the next reply. A host offers at the first failing check already, so that
somebody has taken the role by the time it is judged; a role taken for nothing costs nothing. What
is not judged at all, for the agent just started or woke, is neither kept nor offered: a role given
away at every restart would soon be everybody's, and everybody would have to stay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec


class Words(msgspec.Struct, frozen=True):
    """What this host's replies say: services fit without doubt, prefixes it offers and keeps."""

    fit: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()


def words(
    fit: frozenset[str],
    roles: Collection[str],
    standing: Collection[str],
    behind: Callable[[str], Sequence[str]],
    *,
    leaving: bool,
    unjudged: Collection[str] = (),
) -> Words:
    """What to say, with ``roles`` and with ``standing`` on the own wire.

    ``leaving``: an operator takes this host out; it is nobody's reason to withdraw.
    ``unjudged``: prefixes whose services are not judged yet.
    """
    mine = frozenset(roles) & frozenset(standing)
    if leaving:
        return Words(offers=mine)
    sure = frozenset(prefix for prefix in mine if _serves(fit, behind(prefix)))
    return Words(fit, offers=mine - sure - frozenset(unjudged), keeps=sure)


def take(
    fit: frozenset[str],
    offers: Collection[str],
    standing: Collection[str],
    behind: Callable[[str], Sequence[str]],
) -> frozenset[str]:
    """The offered prefixes whose role this host can take: on its own wire, and fit for them."""
    return frozenset(
        prefix for prefix in offers if prefix in standing and _serves(fit, behind(prefix))
    )


def _serves(fit: frozenset[str], behind: Sequence[str]) -> bool:
    return not behind or not fit.isdisjoint(behind)
