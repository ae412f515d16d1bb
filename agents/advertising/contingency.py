"""Who is gone while the controller is away, and which of that is acted upon.

The rule is the controller's (:mod:`ambicast.model.quorum`), counted here from what this host sees
and from the words of others, which travel in probe replies and need no broker. A PoP is covered
only from a table that stood before it was lost: ``Order.when_lost``. And not more PoPs than the
fleet file allows to be lost at once: beyond that the probes are what broke, and the first in name
order are covered, everywhere the same (I7).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from agents.advertising.scene import Scene
from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from ambicast.model.prefixes import family
from ambicast.model.quorum import Subject, Votes, count, opinion

# Losses so close to each other are one event, in seconds.
LATELY = 10.0
# So long a quorum must have stood: after a gap just longer than the watch's patience the first
# answers come one by one.
CERTAIN = 0.1

Lost = Mapping[Subject, float]
"""(PoP, family) -> since when a quorum has called it gone."""


def votes(scene: Scene) -> Mapping[Subject, Votes]:
    """What this host and all whose words count say, one vote per PoP."""
    opinions = [(PopName(each.pop), each.seen) for each in scene.heard.words]
    if scene.watched is not None:
        opinions.append((scene.pop.name, scene.watched.seen))
    return count((voter, opinion(seen, voter)) for voter, seen in opinions)


def lost(before: Lost, scene: Scene) -> Lost:
    """Who is gone now, and since when; nobody new while the own watch cannot be trusted."""
    if not scene.attentive:
        return before
    quorum = scene.fleet.timing.quorum
    return {
        subject: before.get(subject, scene.now)
        for subject, ballot in sorted(votes(scene).items())
        if ballot.silent(quorum)
    }


def covers(gone: Lost, deeds: Collection[Deed], scene: Scene) -> Iterator[Deed]:
    """What to do about it, as far as the order has a contingency and the quota allows."""
    order = scene.order
    if order is None or not scene.attentive or not gone:
        return
    ballots, quorum = votes(scene), scene.fleet.timing.quorum
    done = {PopName(deed.about) for deed in deeds if deed.kind is DeedKind.COVER}
    believed = within_quota(gone, done, most_at_once(scene.fleet))
    certain = {subject for subject, since in gone.items() if scene.now >= since + CERTAIN}
    for plan in order.when_lost:
        kinds = {kind for pop, kind in certain if pop == plan.lost and pop in believed}
        agreed = {
            kind
            for kind in kinds
            if ballots.get((PopName(plan.lost), kind), Votes()).unanimous(quorum)
        }
        wanted = [prefix for prefix in plan.prefixes if family(prefix) in kinds]
        wanted += [prefix for prefix in plan.shared if family(prefix) in agreed]
        prefixes = tuple(prefix for prefix in wanted if scene.servable(prefix))
        if prefixes:
            yield Deed(kind=DeedKind.COVER, about=plan.lost, prefixes=prefixes, since=scene.now)


def most_at_once(fleet: Fleet) -> int:
    """How many PoPs may be lost at once before the loss itself is doubted."""
    limit = fleet.limits.pops_lost_at_once
    return max(limit.count, int(limit.share * len(fleet.pops)))


def within_quota(gone: Lost, done: Collection[PopName], most: int) -> frozenset[PopName]:
    """The lost PoPs that are acted upon: at most ``most`` of those lost within ten seconds.

    Whoever was covered already keeps its place; the others come in name order. Who found no place
    gets one when enough of the others are seen again, not because time passes.
    """
    since: dict[PopName, float] = {}
    for (pop, _), at in gone.items():
        since[pop] = min(at, since.get(pop, at))
    taken = {pop for pop in done if pop in since}
    for pop in sorted(since):
        beside = {each for each in taken if abs(since[each] - since[pop]) <= LATELY}
        if pop in taken or len(beside) < most:
            taken.add(pop)
    return frozenset(taken)
