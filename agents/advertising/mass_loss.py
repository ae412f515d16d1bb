"""Telling a loss from a fault of the checks: too many at once are not believed (I7).

A release that breaks every health page, or a network that eats the probes, looks to each host
like "I am unfit and the others still serve", and each would withdraw. So every host counts which
PoPs lost their fitness or vanished within ten seconds, itself included. Above the quota of the
fleet file (more than two, and more than 30 % of the PoPs it hears) nothing is given up, and that
stays so until enough of *those* PoPs are well again: otherwise the last of ten would give up ten
seconds after the others had failed, all onto the first that recovered.

A PoP in doubt counts as lost while the doubt lasts: of many that fail together, all are in doubt
before any of them is judged. A PoP whose agent is silent counts as it was, because what its
responder repeats is old; unless its dead man's switch has fired.

A run of the agent that never saw a PoP fit cannot know when it fell: as far as it can tell, when
it was first heard. A release may restart every agent while it breaks the checks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from agents.advertising.hearing import Hearing
from ambicast.model.fleet import LostAtOnce

WITHIN = 10.0


class PopSeen(msgspec.Struct, frozen=True):
    """Another PoP, as its hosts together describe it.

    Attributes:
        fit: services that one of its hosts is fit for.
        fell: services it was fit for -> since when it is not.
        gone: since when none of its hosts is heard; none while one is.
        first: when this run first heard of it.
    """

    fit: frozenset[str] = frozenset()
    fell: Mapping[str, float] = {}
    gone: float | None = None
    first: float = float("-inf")

    def lost(self, behind: Collection[str], since: float) -> bool:
        """Whether it is lost for a prefix with these services, and was not before ``since``."""
        if self.gone is not None:
            return self.gone >= since
        return not self.fit.intersection(behind) and any(
            self.fell.get(service, self.first) >= since for service in behind
        )


def look(
    before: Mapping[str, PopSeen], heard: Hearing, pop: str, now: float
) -> Mapping[str, PopSeen]:
    """Every PoP but ``pop`` that was ever heard, as it is now."""
    names = {told.pop for told in heard.there} | set(before)
    after = {name: _seen(before.get(name), heard, name, now) for name in sorted(names - {pop})}
    return before if after == before else after


def _seen(before: PopSeen | None, heard: Hearing, pop: str, now: float) -> PopSeen:
    there = [told for told in heard.there if told.pop == pop]
    last = before or PopSeen(first=now)
    if not there:
        gone = now if last.gone is None else last.gone
        return msgspec.structs.replace(last, gone=gone)
    spoken = [told for told in there if told.voice or told.switched]
    fit = frozenset[str]().union(*(told.fit for told in spoken)) if spoken else last.fit
    fallen = (last.fit | set(last.fell)) - fit
    fell = {service: last.fell.get(service, now) for service in sorted(fallen)}
    return PopSeen(fit, fell, first=last.first)


def lost(pops: Mapping[str, PopSeen], behind: Collection[str], since: float) -> int:
    """How many other PoPs are lost for a prefix with these services, not before ``since``."""
    return sum(seen.lost(behind, since) for seen in pops.values())


def too_many(count: int, pops: Mapping[str, PopSeen], limit: LostAtOnce, now: float) -> bool:
    """Whether ``count`` losses are more than may be believed.

    The share is of the PoPs that are heard or were until lately, and the own one.
    """
    lately = [seen for seen in pops.values() if seen.gone is None or now - seen.gone <= WITHIN]
    return count > max(limit.count, limit.share * (1 + len(lately)))
