"""Hours of bad weather, without sockets, seals and tasks: schedule, dice and pulses alone."""

import heapq
import itertools
import random

import pytest

from agents.watch.rounds import Rounds
from agents.watch.sighting import Sight
from agents.watch.targets import asks
from ambicast.model.identifiers import Family
from tests.agents_watch.fleets import fleet_of

TICK = 0.01
ROUND_TRIP = 8  # four links each way
MINUTE = 60.0


class Sky:
    """One watcher's asks, with loss and jitter on every link; counts how long who was gone."""

    def __init__(self, loss, jitter, seed):
        fleet = fleet_of()
        self.asks = asks(fleet, fleet.pops["ams"], "ams-1")
        self.sight = Sight(
            (a.path for a in self.asks), (a.judged for a in self.asks), 0.1, misses=3
        )
        self.rounds = Rounds(0.1)
        self.dice = random.Random(seed)
        self.survives, self.jitter = (1 - loss) ** ROUND_TRIP, jitter
        self.under_way = []
        self.number = itertools.count()
        self.flaps = 0
        self.gone = set()

    def last(self, seconds):
        start = 1000.0
        for tick in range(round(seconds / TICK)):
            now = start + tick * TICK
            while self.under_way and self.under_way[0][0] <= now:
                _, _, ask = heapq.heappop(self.under_way)
                self.sight.hear(ask.path, ask.judged, now)
            if self.sight.judge(now):
                self._look()
            for turn in self.rounds.due(len(self.asks), now):
                if self.dice.random() < self.survives:
                    delay = 0.02 + sum(self.dice.random() for _ in range(ROUND_TRIP)) * self.jitter
                    arrival = (now + delay, next(self.number), self.asks[turn])
                    heapq.heappush(self.under_way, arrival)

    def _look(self):
        paths, exits, _ = self.sight.judgement()
        self.flaps += sum(not pulse.up for pulse in paths.values())
        for family in Family:
            for pop in ("fra", "lhr"):
                ups = [p.up for path, p in paths.items() if path[0] == pop and path[3] is family]
                if ups and not any(ups):
                    self.gone.add((pop, family))
        self.gone |= {way for way, pulse in exits.items() if not pulse.up}


@pytest.mark.parametrize("seed", range(4))
def test_half_an_hour_of_two_percent_loss_and_30_ms_jitter_per_link_loses_no_pop_in_any_family(
    seed,
):
    sky = Sky(loss=0.02, jitter=0.03, seed=seed)
    sky.last(30 * MINUTE)
    assert sky.gone == set()
    assert sky.flaps < 60  # a path turns now and then; no PoP has but one


def test_weather_that_is_bad_enough_is_seen():
    sky = Sky(loss=0.2, jitter=0.03, seed=1)
    sky.last(MINUTE)
    assert sky.gone
