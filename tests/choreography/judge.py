"""A small judge of the stage: what clients would meet, computed without the controller's code.

It looks at what agents have on their wires and nameservers in their answers, with ``ipaddress``
alone, and keeps its own memory of faults and of what DNS has given.
"""

from __future__ import annotations

import ipaddress

from controller.choreography.run import PublishMap, PublishOrder, PublishSteering
from controller.choreography.step import step
from tests.choreography.stage import Stage

PUBLISHED = (PublishOrder, PublishSteering, PublishMap)


class Judge:
    """Raises AssertionError at the first look after which a promise is broken."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.changed = stage.now  # the last time anything but the controller changed
        self.grace = 2.5  # a controller listens before it decides anything
        self.fault = stage.now
        self.given: dict[str, float] = {}
        self.stamps: dict[str, tuple[int, int]] = {}
        self.own_before: dict[str, bool] = {}
        self.read = 0

    def act(self, *, fault: bool, grace: float = 1.0) -> None:
        """Something happened; the controller has ``grace`` seconds."""
        left = self.changed + self.grace - self.stage.now
        self.changed, self.grace = self.stage.now, max(grace, left)
        if fault:
            self.fault = self.stage.now

    def looked(self) -> None:
        """To be called after every look."""
        news = [c for _, c in self.stage.history[self.read :] if isinstance(c, PUBLISHED)]
        self.read = len(self.stage.history)
        assert not (self.stage.deaf and news), f"(e) published while deaf: {news}"
        if self.stage.deaf:
            self.fault = self.stage.now  # what happens meanwhile cannot be answered
        self._stamps_grow(news)
        self._leaves_under_cover(news)
        self._note_given()
        if not self.stage.deaf and self.stage.now > self.changed + self.grace + 1e-6:
            self._answers_lead_somewhere()
        self._planned_moves_wait()

    def look_twice(self) -> None:
        """(d)"""
        s = self.stage
        run, _ = step(s.run, s.world, s.fleet, s.now, s.techniques)
        _, commands = step(run, s.world, s.fleet, s.now, s.techniques)
        again = [each for each in commands if isinstance(each, PUBLISHED)]
        assert not again, f"(d) a second look published {again}"

    def serves(self, pop: str) -> bool:
        """Lives, is fit, and can advertise."""
        s = self.stage
        return pop not in s.silent and pop not in s.unfit and pop not in s.bare

    def _stamps_grow(self, news: list[object]) -> None:
        for each in news:
            if isinstance(each, PublishOrder):
                new = (each.stamp.epoch, each.stamp.generation)
                assert new > self.stamps.get(each.host, (0, 0)), f"(c) {each.host} got {new}"
                self.stamps[each.host] = new

    def _leaves_under_cover(self, news: list[object]) -> None:
        for each in news:
            if not isinstance(each, PublishOrder):
                continue
            own = set(self.stage.fleet.pops[each.pop].prefixes)
            has = own <= {ad.prefix for ad in each.order.advertisements}
            if self.own_before.get(each.pop, False) and not has:
                for prefix in own:
                    assert self._carriers(prefix, besides=each.pop), f"(f) {each.pop}: {prefix}"
            self.own_before[each.pop] = has

    def _carriers(self, prefix: str, besides: str = "") -> list[str]:
        """Serving PoPs with ``prefix`` or all its parts of some length on their wires."""
        return [
            pop
            for pop in self.stage.fleet.pops
            if pop != besides and self.serves(pop) and _carries(self.stage.wire(pop), prefix)
        ]

    def _answers(self) -> dict[str, tuple[str, ...]]:
        newest = max((each for each in self.stage.answers.values()), default=None)
        return dict(newest[1].answers["www"]) if newest else {}

    def _note_given(self) -> None:
        addresses = {address for each in self._answers().values() for address in each}
        for pop in self.stage.fleet.pops.values():
            for prefix in pop.prefixes:
                if any(_inside(address, prefix) for address in addresses):
                    self.given[prefix] = self.stage.now

    def _answers_lead_somewhere(self) -> None:
        s = self.stage
        usable = [p for p in s.fleet.pops if self.serves(p) and p not in s.world.drains]
        if not usable or len(s.silent) > 1:
            return
        normal = {prefix for pop in s.fleet.pops.values() for prefix in pop.prefixes}
        normal |= {p for service in s.fleet.services.values() for p in service.anycast.prefixes}
        for group, addresses in self._answers().items():
            for address in addresses:
                home = next(prefix for prefix in normal if _inside(address, prefix))
                least = ipaddress.ip_network(home).prefixlen
                living = self._longest(address, [p for p in s.fleet.pops if self.serves(p)])
                stale = self._longest(address, s.silent)
                assert living >= least, f"(a) {group}: {address} leads nowhere ({living})"
                anycast = "254" in home or ":a::" in home
                assert anycast or living > stale, f"(a) {group}: {address} leads to the dead"

    def _longest(self, address: str, pops: object) -> int:
        found = [
            ipaddress.ip_network(prefix).prefixlen
            for pop in pops
            for prefix in self.stage.wire(pop)
            if _inside(address, prefix)
        ]
        return max(found, default=0)

    def _planned_moves_wait(self) -> None:
        timing = self.stage.fleet.timing
        for prefix, at in self.given.items():
            if self.fault > at - self.grace or self.stage.now > at + timing.ttl + timing.tail:
                continue
            assert self._carriers(prefix), f"(b) {prefix} left the last wire; given at {at}"


def _inside(address: str, prefix: str) -> bool:
    whole = ipaddress.ip_network(prefix)
    one = ipaddress.ip_address(address)
    return one.version == whole.version and one in whole


def _carries(wire: set[str], prefix: str) -> bool:
    return prefix in wire
