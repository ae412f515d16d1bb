"""What the stage's agents do without being told: a simple model of it.

* A PoP lost while nobody orders: everybody whose order has a contingency for it advertises that
  too (*cover*). Whether the controller is away is what ``stage.deaf`` says.
* An uplink silent in a family: own and helped prefixes one rung deeper through the others
  (*split*).
* Such deeds stay until an accepted order advertises the same prefix; a part of what is not
  ordered any more goes with it.
* An unfit PoP gives up nothing while nobody else is fit, and a shared prefix it is keeper of only
  to somebody fit who has it on the wire and takes the role.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Deed, DeedKind, Order, UplinkState
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import contains, family, length, split
from ambicast.model.routes import Advertisement

if TYPE_CHECKING:
    from tests.choreography.stage import Stage


class Alone:
    """Deeds and roles of every host."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.dull: set[tuple[PopName, str, Family]] = set()  # silent uplinks
        self.resisting: set[PopName] = set()  # would not withdraw, whatever its checks say
        self.deeds: dict[HostName, dict[str, tuple[Deed, tuple[Advertisement, ...]]]] = {}
        self.keeps: dict[HostName, frozenset[str]] = {}
        self.stamps: dict[HostName, Stamp] = {}

    def fork(self, stage: Stage) -> Alone:
        twin = Alone(stage)
        for name in ("dull", "resisting", "deeds", "keeps", "stamps"):
            setattr(twin, name, copy.deepcopy(getattr(self, name)))
        return twin

    def accepted(self, host: HostName, stamp: Stamp, order: Order) -> None:
        """An order takes over what it advertises, and names keepers anew."""
        if self.stamps.get(host) == stamp:
            return
        self.stamps[host] = stamp
        self.keeps.pop(host, None)
        ordered = {each.prefix for each in order.advertisements}
        mine = self.deeds.get(host, {})
        covered = {p for d, _ in mine.values() if d.kind is DeedKind.COVER for p in d.prefixes}
        left = {}
        for about, (deed, added) in mine.items():
            prefixes = tuple(
                each
                for each in deed.prefixes
                if each not in ordered
                and (deed.kind is DeedKind.COVER or self._whole(each) in ordered | covered)
            )
            if prefixes:
                rest = tuple(each for each in added if each.prefix in prefixes)
                left[about] = (msgspec.structs.replace(deed, prefixes=prefixes), rest)
        self.deeds[host] = left

    def _whole(self, part: str) -> str:
        return max((e for e in self.stage.fleet.steered() if contains(e, part)), key=length)

    def act(self) -> None:
        """Every living host looks around."""
        for pop, host in self.stage.fleet.hosts():
            order = self.stage.wires.get(host)
            if pop.name in self.stage.silent or order is None:
                continue
            if self.stage.deaf:
                self._cover(pop.name, host, order)
            for name, uplink, kind in sorted(self.dull):
                if name == pop.name:
                    self._split(pop.name, host, order, uplink, kind)

    def _cover(self, pop: PopName, host: HostName, order: Order) -> None:
        for plan in order.when_lost:
            lost = PopName(plan.lost)
            kinds = {
                k for k in Family if lost in self.stage.silent or (lost, k) in self.stage.half
            }
            if not kinds or len(self._watchers(lost)) < self.stage.fleet.timing.quorum:
                continue
            prefixes = [p for p in (*plan.prefixes, *plan.shared) if family(p) in kinds]
            self._do(host, DeedKind.COVER, lost, prefixes, self._links(pop))

    def _split(
        self, pop: PopName, host: HostName, order: Order, uplink: str, kind: Family
    ) -> None:
        held = self.deeds.get(host, {}).get(f"split {uplink}")
        if held is not None and any(family(each) is kind for each in held[0].prefixes):
            return
        whole = [p for each in self.stage.fleet.pops.values() for p in each.prefixes_of(kind)]
        sent = {e.prefix for e in self.sent(pop, host, order) if e.uplink == uplink}
        elsewhere = {e.prefix for e in self.sent(pop, host, order) if e.uplink != uplink}
        prefixes = []
        for one in whole:
            had = [length(each) - length(one) for each in sent if contains(one, each)]
            deeper = split(one, max(had) + 1) if had else ()
            prefixes += [each for each in deeper if each not in elsewhere]
        links = [each for each in self._links(pop) if each != uplink]
        if prefixes:
            self._do(host, DeedKind.SPLIT, uplink, prefixes, links)

    def _do(
        self, host: HostName, kind: DeedKind, about: str, prefixes: list[str], links: list[str]
    ) -> None:
        mine = self.deeds.setdefault(host, {})
        key = f"{kind} {about}"
        old = mine.get(key)
        ordered = {each.prefix for each in self.stage.wires[host].advertisements}
        known = (*old[0].prefixes, *ordered) if old else tuple(ordered)
        new = tuple(each for each in dict.fromkeys(prefixes) if each not in known)
        if not new:
            return
        since = old[0].since if old else self.stage.now
        deed = Deed(
            kind=kind, about=about, prefixes=(*(old[0].prefixes if old else ()), *new), since=since
        )
        added = tuple(Advertisement(prefix, link) for link in links for prefix in new)
        mine[key] = (deed, (*(old[1] if old else ()), *added))

    def sent(self, pop: PopName, host: HostName, order: Order) -> tuple[Advertisement, ...]:
        """What order and deeds together advertise."""
        added = [each for _, ads in self.deeds.get(host, {}).values() for each in ads]
        known = {(each.prefix, each.uplink) for each in order.advertisements}
        more = (each for each in added if (each.prefix, each.uplink) not in known)
        return (*order.advertisements, *more)

    def others_fit(self, pop: PopName) -> bool:
        """Whether some other PoP is known to be fit; who resists knows none."""
        if pop in self.resisting:
            return False
        gone = self.stage.unfit | self.stage.silent
        return any(other not in gone for other in self.stage.fleet.pops if other != pop)

    def kept(self, pop: PopName, host: HostName, order: Order) -> frozenset[str]:
        """The shared prefixes an unfit keeper is left with, after handing over what it can."""
        left = set()
        for prefix, keeper in order.keepers.items():
            if keeper == pop and not self._handed(pop, prefix):
                left.add(prefix)
        return frozenset(left | self.keeps.get(host, frozenset()))

    def _handed(self, pop: PopName, prefix: str) -> bool:
        for other, host in self.stage.fleet.hosts():
            gone = self.stage.unfit | self.stage.silent | self.stage.bare | {pop}
            order = self.stage.wires.get(host)
            if other.name in gone or order is None:
                continue
            if prefix in {each.prefix for each in order.advertisements}:
                if order.keepers.get(prefix) != other.name:
                    self.keeps[host] = self.keeps.get(host, frozenset()) | {prefix}
                return True
        return False

    def deeds_of(self, host: HostName) -> tuple[Deed, ...]:
        return tuple(deed for deed, _ in self.deeds.get(host, {}).values())

    def keeps_of(self, host: HostName) -> tuple[str, ...]:
        return tuple(sorted(self.keeps.get(host, ())))

    def follows(self, host: HostName) -> dict[str, Any]:
        stamp = self.stamps.get(host, Stamp())
        return {"order_epoch": stamp.epoch, "order_generation": stamp.generation}

    def uplinks(self, pop: PopName) -> tuple[UplinkState, ...]:
        return tuple(
            UplinkState(
                uplink=link,
                carrier=True,
                working={kind: (pop, link, kind) not in self.dull for kind in Family},
            )
            for link in self._links(pop)
        )

    def _links(self, pop: PopName) -> list[str]:
        return sorted(self.stage.fleet.pops[pop].uplinks)

    def _watchers(self, lost: PopName) -> list[PopName]:
        blind = self.stage.silent | self.stage.blind | {lost}
        living = [pop for pop in self.stage.fleet.pops if pop not in blind]
        # Who sees nobody else has no voice.
        return living if len(living) > 1 else []
