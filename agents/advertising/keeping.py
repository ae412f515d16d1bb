"""What an unfit host may give up, and what it must keep (I7): keepers, quota, fail open.

An unfit service's prefixes are withdrawn at once, but only where somebody else is known to be
fit. Three things hold a prefix on the wire although nothing works behind it:

* *Nobody else is known to be fit.* Withdrawing would help no client. Many that fail together are
  in doubt before any of them is judged (:mod:`certainty`), so each finds nobody and all stay.
* *The losses are too many to be believed* (:mod:`mass_loss`).
* *This host is the prefix's keeper.* A keeper first *offers* the role in its word, and leaves only
  once another fit host says that it *keeps* the prefix. Two keepers are safe, none is not; so
  whoever took the role has it until an order names keepers anew.

Withdrawing is latched: what was withdrawn comes back when its service is fit again and has served
its hold-down, not when the reason to leave is in doubt for a moment. Only where nobody else has
been fit for long, a prefix comes back unfit as it is, and a recovered service at once.

A host that has just started remembers none of this. It keeps what it finds on the wire. A role
whose prefix is not there may have been handed over by the run before: it is offered again, and
only if nobody is heard to keep it for a while is it taken up unfit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from agents.advertising.certainty import WORD, certain, delay
from agents.advertising.fitness import Judged, Standing, standing
from agents.advertising.hearing import Hearing
from agents.advertising.mass_loss import WITHIN, PopSeen, look, lost, too_many
from ambicast.model.fleet import LostAtOnce
from ambicast.model.identifiers import ServiceName
from ambicast.model.services import Service

# Nobody else fit for so long: a recovered service need not serve its hold-down ...
PARDON = 2.0
# ... and what is unfit comes back as it is. Longer than anybody's doubt lasts.
BETTER_THAN_NOTHING = 10.0
# Those that failed together recover together, but not in the same instant: after the first of them
# are well again a mass loss is disbelieved as long again as it lasted, at most for so long, and
# at least for as long as the checks take to notice (`_noticed`), which may be longer.
TOGETHER = 2.0


class Distrust(msgspec.Struct, frozen=True):
    """Unfit in a mass loss ``since`` then; ``few``: when the losses became few enough again."""

    since: float
    few: float | None = None


class Keeping(msgspec.Struct, frozen=True):
    """What this host remembers of giving up and keeping; prefixes, unless said otherwise.

    Attributes:
        taken: whose keeper's role it took.
        open: unfit (or fit again, and held down), and advertised all the same.
        down: withdrawn because unfit, and not yet back.
        distrusted: unfit in a mass loss.
        alone: service -> since when others are heard and none of them is fit.
        pops: the other PoPs, as they describe themselves.
        held: what this run has had on the wire.
        waiting: unfit roles that it never had there -> since when nobody is heard to keep them.
        deaf: since when nobody is heard; none while somebody is.
    """

    taken: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    distrusted: Mapping[str, Distrust] = {}
    alone: Mapping[str, float] = {}
    pops: Mapping[str, PopSeen] = {}
    held: frozenset[str] = frozenset()
    waiting: Mapping[str, float] = {}
    deaf: float | None = None


class Moment(NamedTuple):
    """Everything that decides what may be given up now.

    ``roles`` are the prefixes whose keeper this host is; ``asked`` those it shall advertise;
    ``standing`` those it does; ``held_down`` the fit services that have to go on passing;
    ``interval`` the seconds between two probes of a host.
    """

    pop: str
    roles: frozenset[str]
    asked: frozenset[str]
    standing: frozenset[str]
    behind: Callable[[str], Sequence[ServiceName]]
    services: Mapping[str, Judged]
    held_down: Collection[str]
    heard: Hearing
    limit: LostAtOnce
    checks: Mapping[ServiceName, Service]
    interval: float
    now: float

    def stands(self, prefix: str) -> Standing:
        """What is known of the services behind ``prefix``."""
        return standing(self.behind(prefix), self.services)

    def ready(self, prefix: str) -> bool:
        """Whether a fit service behind ``prefix`` has served its hold-down."""
        behind = self.behind(prefix)
        fit = (name for name in behind if name in self.services and self.services[name].fit)
        return not behind or any(name not in self.held_down for name in fit)


def pardoned(alone: Mapping[str, float], now: float) -> frozenset[str]:
    """The services that nobody else has been fit for lately: no time for a hold-down."""
    return frozenset(name for name, since in alone.items() if now - since >= PARDON)


def keep(remembered: Keeping, at: Moment) -> Keeping:
    """What is given up and kept at this moment."""
    pops = look(remembered.pops, at.heard, at.pop, at.now)
    before = _listened(msgspec.structs.replace(remembered, pops=pops), at)
    opened, down = set(before.open & at.asked), set(before.down & at.asked)
    distrusted: dict[str, Distrust] = {}
    for prefix in sorted(at.asked):
        match at.stands(prefix):
            case Standing.FIT:
                if at.ready(prefix):
                    opened.discard(prefix)
                    down.discard(prefix)
            case Standing.UNFIT:
                distrust = _distrusted(prefix, before, at)
                if distrust is not None:
                    distrusted[prefix] = distrust
                _place(prefix, opened, down, _fate(prefix, before, at, distrust is not None))
            case Standing.UNKNOWN:  # what was disbelieved before a standstill is so after it
                if prefix in before.distrusted:
                    distrusted[prefix] = before.distrusted[prefix]
    after = msgspec.structs.replace(
        before,
        open=frozenset(opened),
        down=frozenset(down),
        distrusted=distrusted,
        alone=_alone(before.alone, at),
    )
    return remembered if after == remembered else after


def _listened(before: Keeping, at: Moment) -> Keeping:
    """With what was on the wire, who is heard, and which roles wait for somebody's word."""
    held = (before.held | at.standing) & at.asked
    deaf = None if at.heard.words else (at.now if before.deaf is None else before.deaf)
    awake = before.deaf is not None and deaf is None
    unknown = at.roles & at.asked - held - before.open - before.down
    waiting = {
        prefix: at.now if awake else before.waiting.get(prefix, at.now)
        for prefix in sorted(unknown)
        if at.stands(prefix) is Standing.UNFIT and not at.heard.kept(prefix, at.behind(prefix))
    }
    return msgspec.structs.replace(before, held=held, waiting=waiting, deaf=deaf)


class _Fate(Enum):
    """What becomes of an unfit prefix; nothing of one that never was on the wire."""

    NOTHING = auto()
    STAYS = auto()
    GOES = auto()


def _place(prefix: str, opened: set[str], down: set[str], fate: _Fate) -> None:
    if fate is not _Fate.NOTHING:
        stays = fate is _Fate.STAYS
        (opened if stays else down).add(prefix)
        (down if stays else opened).discard(prefix)


def _fate(prefix: str, before: Keeping, at: Moment, distrust: bool) -> _Fate:  # noqa: FBT001
    behind = at.behind(prefix)
    if prefix in before.down:
        since = max(before.alone.get(name, at.now) for name in behind)
        long = PARDON if prefix in at.roles else BETTER_THAN_NOTHING
        return _Fate.STAYS if at.now - since >= long else _Fate.GOES
    if prefix not in before.open | before.held:
        wait = PARDON if at.heard.words else BETTER_THAN_NOTHING
        waited = at.now - before.waiting.get(prefix, at.now)
        return _Fate.STAYS if waited >= wait else _Fate.NOTHING
    sure = certain(at.heard, behind, at.services, at.checks, at.interval, at.now)
    unkept = prefix in at.roles and not sure.kept(prefix, behind)
    stays = distrust or unkept or not sure.fit(behind)
    return _Fate.STAYS if stays else _Fate.GOES


def _distrusted(prefix: str, before: Keeping, at: Moment) -> Distrust | None:
    """Whether this prefix's unfitness is part of a mass loss; ours is one loss of them."""
    known = before.distrusted.get(prefix)
    began = at.now if known is None else known.since
    apart = _noticed(prefix, at)
    within = max(WITHIN, apart)
    count = 1 + lost(before.pops, at.behind(prefix), began - within)
    ours = max(at.services[name].since for name in at.behind(prefix))
    fresh = at.now - ours <= within or known is not None
    if fresh and too_many(count, before.pops, at.limit, at.now):
        return Distrust(began)
    if known is None:
        return None
    few = at.now if known.few is None else known.few
    over = at.now - few >= max(min(TOGETHER, few - began), apart)
    return None if over else Distrust(began, few)


def _noticed(prefix: str, at: Moment) -> float:
    """How far apart, in seconds, what begins or ends everywhere at once may be noticed.

    By the slowest check behind ``prefix``: each PoP's falls into its interval wherever it likes.
    """
    services = (at.checks.get(name) for name in at.behind(prefix))
    checks = [check for service in services if service for check in service.checks]
    if not checks:
        return 0.0
    slowest = max(
        each.interval + (max(each.rise, each.fall) - 1) * each.fast_interval for each in checks
    )
    return slowest + max((delay(told, at.interval) for told in at.heard.words), default=WORD)


def _alone(before: Mapping[str, float], at: Moment) -> Mapping[str, float]:
    if not at.heard.words:
        return {}
    lonely = [name for name in sorted(at.services) if not at.heard.fit((name,))]
    return {name: before.get(name, at.now) for name in lonely}
