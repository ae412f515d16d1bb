"""Votes: who may speak, and how many must agree."""

from __future__ import annotations

import pytest

from ambicast.contract.messages import Sighting, Sightings
from ambicast.model.identifiers import Family, HostName, PopName
from controller.world.belief import World, fold
from controller.world.liveness import STALE_AFTER, Votes, votes
from controller.world.observations import HostSighted
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops

FLEET = four_pops()


def says(world, watcher, up, down, *, at=0.0, paused=False, host="1"):
    seen = [
        Sighting(pop=pop, uplink="north", family=Family.V4, up=state)
        for state, pops in ((True, up), (False, down))
        for pop in pops
    ]
    told = Sightings(instance="i", seen=tuple(seen), paused=paused)
    return fold(world, HostSighted(watcher, HostName(f"{watcher}-{host}"), told), at)


def on(pop, world, now=0.0):
    return votes(world, FLEET, now)[pop]


EMPTY = World(began_at=0.0)


def test_each_pop_has_one_vote_and_none_on_itself():
    world = says(says(EMPTY, FRA, [LHR], [AMS]), FRA, [LHR], [AMS, FRA], host="2")
    assert on(AMS, world) == Votes(frozenset({FRA}), frozenset())
    assert on(FRA, world) == Votes(frozenset(), frozenset())


def test_where_two_hosts_of_a_pop_disagree_having_seen_wins():
    world = says(says(EMPTY, FRA, [LHR], [AMS]), FRA, [AMS], [], host="2")
    assert on(AMS, world) == Votes(frozenset(), frozenset({FRA}))


def test_one_working_path_is_enough():
    world = says(EMPTY, FRA, [AMS], [AMS])
    assert on(AMS, world).there == {FRA}


def test_who_sees_nobody_or_stood_still_has_no_vote():
    world = says(says(EMPTY, FRA, [], [AMS, LHR]), LHR, [FRA], [AMS], paused=True)
    assert not on(AMS, world).gone


def test_a_word_grows_old():
    world = says(EMPTY, FRA, [LHR], [AMS], at=10.0)
    assert on(AMS, world, 10.0 + STALE_AFTER).gone == {FRA}
    assert not on(AMS, world, 10.1 + STALE_AFTER).gone


def test_a_pop_outside_the_fleet_is_ignored():
    assert "nowhere" not in votes(says(EMPTY, FRA, [AMS], ["nowhere"]), FLEET, 0.0)


@pytest.mark.parametrize(
    ("gone", "there", "silent"),
    [(0, 0, False), (1, 0, False), (2, 0, True), (2, 1, True), (2, 2, False), (3, 2, True)],
)
def test_silent_needs_the_quorum_and_the_majority(gone, there, silent):
    names = [PopName(f"p{number}") for number in range(6)]
    ballot = Votes(frozenset(names[:gone]), frozenset(names[gone : gone + there]))
    assert ballot.silent(2) is silent


def test_three_of_three_watchers():
    world = EMPTY
    for watcher in (FRA, LHR, MAD):
        others = [pop for pop in (FRA, LHR, MAD) if pop != watcher]
        world = says(world, watcher, others, [AMS])
    assert on(AMS, world).silent(3)
