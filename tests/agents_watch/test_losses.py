import random

import pytest

from agents.watch.losses import Losses
from agents.watch.targets import Exit, asks
from ambicast.model.identifiers import Family
from tests.agents_watch.fleets import fleet_of, with_two_hosts

EXITS = frozenset(Exit(u, f) for u in ("north", "south") for f in Family)


class Counted:
    """Every ask of ``ams`` ten times per second; ``answered(ask)`` says after how long, or not."""

    def __init__(self, fleet=None, own="ams"):
        fleet = fleet or fleet_of()
        self.asks = asks(fleet, fleet.pops[own], f"{own}-1")
        self.losses = Losses(self.asks)
        self.now = 100.0

    def run(self, seconds, answered, working=EXITS):
        for _ in range(round(seconds * 10)):
            self.now = round(self.now + 0.1, 3)
            for ask in self.asks:
                place = self.losses.place(ask)
                self.losses.sent(place, self.now)
                after = answered(ask)
                if after is not None:
                    self.losses.answered(place, self.now, self.now + after)
        return self.losses.shares(self.now + 1, working)


def test_where_everything_is_answered_nothing_is_lost():
    assert Counted().run(11, lambda ask: 0.03) == {"north": 0.0, "south": 0.0}


def test_the_share_of_the_lossy_uplink_is_told_and_the_other_is_clean():
    dice = random.Random(7)
    lossy = Counted().run(
        11, lambda ask: None if ask.exit.uplink == "north" and dice.random() < 0.1 else 0.03
    )
    assert lossy["north"] == pytest.approx(0.1, abs=0.03)
    assert lossy["south"] == 0.0


def test_an_answer_may_be_half_a_second_late_and_no_later():
    assert Counted().run(11, lambda ask: 0.5)["north"] == 0.0
    assert Counted().run(11, lambda ask: 0.51)["north"] == 1.0


def test_another_pops_death_is_not_our_loss():
    fleet = fleet_of(["ams", "fra", "lhr", "syd"])
    dead = Counted(fleet).run(11, lambda ask: None if ask.path.pop == "fra" else 0.03)
    assert dead == {"north": 0.0, "south": 0.0}


def test_a_family_that_does_not_work_is_silent_not_lossy():
    silent = Exit("north", Family.V6)
    lost = Counted().run(11, lambda ask: None if ask.exit == silent else 0.03, EXITS - {silent})
    assert lost == {"north": 0.0, "south": 0.0}


def test_nothing_is_said_before_ten_seconds_were_counted_nor_after_a_pause():
    counted = Counted()
    assert counted.run(9, lambda ask: None) == {}
    assert set(counted.run(2, lambda ask: None)) == {"north", "south"}
    counted.now += 2
    assert counted.run(9, lambda ask: 0.03) == {}


def test_what_is_older_than_ten_seconds_is_forgotten():
    counted = Counted()
    assert counted.run(11, lambda ask: None)["north"] == 1.0
    assert counted.run(11, lambda ask: 0.03)["north"] == 0.0
    assert len(counted.losses._slots) <= 24


def test_hosts_of_the_own_pop_are_not_counted():
    crowded = Counted(with_two_hosts(fleet_of(), "ams"))
    assert {ask.path.pop for ask in crowded.asks} == {"ams", "fra", "lhr"}
    answered = crowded.run(11, lambda ask: None if ask.path.pop == "ams" else 0.03)
    assert answered == {"north": 0.0, "south": 0.0}
