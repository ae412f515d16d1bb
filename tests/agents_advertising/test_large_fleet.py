"""More PoPs than anybody can watch: those that hear a quorum cover a loss by themselves."""

from __future__ import annotations

import pytest

from ambicast.model.watching import MOST_WATCHED, ring
from tests.agents_advertising.fleetwide import Fleetwide, fleet_of, halves


@pytest.fixture
def world():
    world = Fleetwide(fleet_of(*(f"p{number:02}" for number in range(MOST_WATCHED + 6))))
    world.controller_dies()
    return world


def covering(world, name):
    own = world.fleet.pops[name].prefixes
    wanted = {*own, *halves(*own)}
    return {each for each, node in world.alive.items() if wanted <= node.wire}


def test_a_lost_pop_is_covered_by_its_ring_at_least(world):
    world.dead.add("p07")
    world.run(0.6)
    assert covering(world, "p07") >= set(ring(world.fleet, "p07"))


def test_also_when_one_of_those_that_watch_it_is_lost_with_it(world):
    beside = ring(world.fleet, "p07")[0]
    world.dead |= {"p07", beside}
    world.run(0.6)
    for lost in ("p07", beside):
        assert covering(world, lost) >= set(ring(world.fleet, lost)) - {"p07", beside}


def test_a_pop_that_two_of_its_watchers_alone_do_not_see_is_left_alone(world):
    blind = set(ring(world.fleet, "p07")[:2])
    world.cuts.append(lambda asker, _, asked, __: asker in blind and asked == "p07")
    world.run(2)
    assert covering(world, "p07") == set()
