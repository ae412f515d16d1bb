import random

import pytest

from agents.watch.sighting import Sight
from agents.watch.targets import Exit, Path
from ambicast.model.identifiers import Family

FRA = Path("fra", "fra-1", "north", Family.V4)
LHR = Path("lhr", "lhr-1", "north", Family.V4)
NORTH = Exit("north", Family.V4)
SOUTH = Exit("south", Family.V4)
TICK = 0.02


class Clock:
    """A sight that is looked at every 20 ms, as the watcher does."""

    def __init__(self, paths=(FRA, LHR), exits=(NORTH, SOUTH)):
        self.sight = Sight(paths, exits, interval=0.1, misses=3)
        self.now = 100.0
        self.sight.judge(self.now)

    def hear(self, path=FRA, way_out=NORTH):
        self.sight.hear(path, way_out, self.now)

    def wait(self, seconds, hearing=()):
        """Tick through; the instants of change."""
        changes = []
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            for path, way_out in hearing:
                self.hear(path, way_out)
            if self.sight.judge(self.now):
                changes.append(round(self.now - 100.0, 3))
        return changes

    def up(self, path=FRA):
        return self.sight.judgement().paths[path].up


def test_nothing_is_judged_before_it_was_heard_or_a_window_has_passed():
    clock = Clock()
    clock.wait(0.28)
    assert clock.sight.judgement() == ({}, {}, False)
    clock.hear()
    assert set(clock.sight.judgement().paths) == {FRA}
    clock.wait(0.04)
    assert clock.up() is True
    assert clock.up(LHR) is False
    assert clock.sight.judgement().exits[SOUTH].up is False


def test_one_reply_is_up():
    clock = Clock()
    clock.wait(1.0)
    assert clock.up() is False
    clock.hear()
    assert clock.sight.judge(clock.now) is True
    assert clock.up() is True


def test_silence_is_down_after_three_intervals_and_one_look():
    clock = Clock()
    clock.hear()
    clock.hear(LHR, SOUTH)
    clock.sight.judge(clock.now)
    keep = [(LHR, NORTH), (LHR, SOUTH)]
    assert clock.wait(0.28, keep) == []
    assert clock.up() is True
    assert clock.wait(0.04, keep) == [0.32]
    assert clock.up() is False


def test_since_is_when_it_turned_and_further_replies_do_not_move_it():
    clock = Clock()
    clock.hear()
    clock.wait(0.2, [(FRA, NORTH)])
    assert clock.sight.judgement().paths[FRA].since == 100.0


def test_any_own_uplink_will_do_for_a_path_and_any_path_for_an_own_uplink():
    clock = Clock()
    clock.wait(1.0, [(FRA, SOUTH)])
    paths, exits, _ = clock.sight.judgement()
    assert paths[FRA].up
    assert not paths[LHR].up
    assert exits[SOUTH].up
    assert not exits[NORTH].up


@pytest.mark.parametrize("gap", [0.21, 0.5, 30.0])
def test_when_the_own_loop_stood_still_silence_proves_nothing(gap):
    clock = Clock()
    clock.wait(0.5, [(FRA, NORTH), (LHR, NORTH)])
    clock.now += gap
    assert clock.sight.judge(clock.now) is True
    assert clock.up() is True
    assert clock.sight.judgement().paused
    clock.wait(0.28)
    assert clock.up() is True
    clock.wait(0.06)
    assert clock.up() is False
    assert not clock.sight.judgement().paused


def test_a_hiccup_is_no_pause():
    clock = Clock()
    clock.wait(0.5, [(FRA, NORTH), (LHR, NORTH)])
    clock.now += 0.19
    clock.sight.judge(clock.now)
    assert not clock.sight.judgement().paused


@pytest.mark.parametrize("seed", range(5))
def test_two_percent_loss_in_each_direction_flaps_nothing(seed):
    """An hour of two own uplinks, half an interval apart."""
    dice = random.Random(seed)
    clock = Clock()
    clock.wait(0.4, [(FRA, NORTH), (LHR, SOUTH), (FRA, SOUTH), (LHR, NORTH)])
    flaps = 0
    for turn in range(20 * 3600):
        clock.now += 0.05
        for path in (FRA, LHR):
            if dice.random() > 0.02 and dice.random() > 0.02:
                clock.hear(path, NORTH if turn % 2 else SOUTH)
        flaps += clock.sight.judge(clock.now)
    assert flaps == 0
