"""Who watches whom, from three PoPs to five hundred."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ambicast.model.fleet import Fleet, Limits, Timing
from ambicast.model.pops import Place, Pop
from ambicast.model.watching import EACH_WAY, MOST_WATCHED, ring, sharers, watched

EARTH = ("198.18.0.0/17", "198.18.128.0/17")


def fleet_of(count, quorum=2, seed=1, *, red=0.5, places=None):
    """``count`` PoPs anywhere; the share ``red`` of them has prefixes in the first cover."""
    dice = Random(seed)
    pops = {}
    for number in range(count):
        name = f"pop-{number}"
        lat, lon = places or (dice.uniform(-60, 70), dice.uniform(-180, 180))
        first = 0 if number < red * count else 128
        prefix = f"198.18.{first}.0/22"
        pops[name] = Pop(name, Place(name, "XX", lat, lon), 1e9, (prefix,), {}, {})
    timing = Timing(quorum=quorum)
    return Fleet("t", 64500, "t.example", timing, Limits(), {}, EARTH, pops, {}, {}, {})


def voices(fleet, seen, own, lost):
    """The PoPs whose votes on ``lost`` an agent of ``own`` counts that watches ``seen``."""
    return ({own} if lost in seen else set()) | set(seen) & set(ring(fleet, lost))


def enough(fleet):
    """A quorum, or as many as are left when two PoPs are lost."""
    return min(fleet.timing.quorum, len(fleet.pops) - 2)


fleets = st.builds(
    fleet_of,
    st.one_of(st.integers(3, 40), st.integers(41, 500)),
    st.integers(2, 6),
    st.integers(0, 1000),
    red=st.sampled_from([0.0, 0.02, 0.5, 0.98]),
)
few = settings(max_examples=15, deadline=None)


def test_in_a_small_fleet_everybody_watches_everybody():
    fleet = fleet_of(2 * EACH_WAY + 1)
    for own in fleet.pops:
        assert watched(fleet, own) == tuple(sorted(set(fleet.pops) - {own}))
        assert set(ring(fleet, own)) == set(fleet.pops) - {own}


@few
@given(fleets)
def test_watching_on_the_ring_is_mutual(fleet):
    rings = {own: set(ring(fleet, own)) for own in fleet.pops}
    assert all(own in rings[other] for own, others in rings.items() for other in others)
    assert all(own not in others for own, others in rings.items())


@few
@given(fleets, st.randoms())
def test_the_controller_has_a_quorum_for_every_pop_after_one_more_loss(fleet, dice):
    wanted = min(len(fleet.pops) - 1, max(2 * EACH_WAY, fleet.timing.quorum + 1))
    for own in dice.sample(sorted(fleet.pops), min(5, len(fleet.pops))):
        assert len(ring(fleet, own)) >= wanted
        assert set(ring(fleet, own)) <= set(watched(fleet, own))


@few
@given(fleets, st.randoms())
def test_whoever_watches_on_the_ring_hears_a_quorum_after_one_more_loss(fleet, dice):
    for lost in dice.sample(sorted(fleet.pops), min(5, len(fleet.pops))):
        for own in ring(fleet, lost):
            heard = voices(fleet, watched(fleet, own), own, lost)
            assert own in heard
            assert len(heard) > enough(fleet), (own, lost)


@few
@given(fleets, st.randoms())
def test_the_nearest_pops_can_be_covered_too(fleet, dice):
    own = dice.choice(sorted(fleet.pops))
    seen = watched(fleet, own)
    covered = {lost for lost in seen if len(voices(fleet, seen, own, lost)) > enough(fleet)}
    assert covered >= set(ring(fleet, own))
    if len(fleet.pops) > 60 and fleet.timing.quorum == 2:
        assert len(covered - set(ring(fleet, own))) >= 3
    if len(fleet.pops) <= MOST_WATCHED + 1 and fleet.timing.quorum == 2:
        assert covered == set(fleet.pops) - {own}


@few
@given(fleets, st.randoms())
def test_sharers_of_a_covering_prefix_watch_each_other(fleet, dice):
    for cover in fleet.covering:
        together = sharers(fleet, cover)
        for own in dice.sample(together, min(5, len(together))):
            mine = set(watched(fleet, own)) & set(together)
            mutual = {other for other in mine if own in watched(fleet, other)}
            assert len(mutual) >= min(2, len(together) - 1)


@pytest.mark.parametrize("red", [0.0, 0.1, 0.5, 1.0])
def test_sharers_are_those_that_the_fleet_names(red):
    fleet = fleet_of(10, red=red)
    for cover in fleet.covering:
        named = {own for own in fleet.pops if cover in fleet.covers_at(own)}
        assert set(sharers(fleet, cover)) == named


@few
@given(fleets, st.randoms())
def test_how_many_are_watched_is_bounded(fleet, dice):
    own = dice.choice(sorted(fleet.pops))
    alone = len(ring(fleet, own)) + 2 * len(fleet.covering)
    assert len(watched(fleet, own)) <= max(MOST_WATCHED, alone)


@pytest.mark.parametrize("places", [None, (52.3, 4.9)], ids=["anywhere", "all in one place"])
def test_five_hundred_pops_watch_and_are_watched_by_few(places):
    fleet = fleet_of(500, places=places)
    sets = {own: watched(fleet, own) for own in fleet.pops}
    watchers = Counter(pop for seen in sets.values() for pop in seen)
    assert max(map(len, sets.values())) <= MOST_WATCHED
    assert min(watchers.values()) >= 2 * EACH_WAY
    assert max(watchers.values()) <= 3 * MOST_WATCHED


def test_a_new_pop_moves_few_watchers():
    before, after = fleet_of(100), fleet_of(100)
    after = replace(after, pops={**after.pops, "new": fleet_of(1).pops["pop-0"]})
    moved = [own for own in before.pops if set(ring(before, own)) != set(ring(after, own))]
    assert len(moved) == 2 * EACH_WAY


def test_the_next_ones_on_the_ring_come_first():
    fleet = fleet_of(50)
    order = ["pop-7"]
    while len(order) < 50:
        order.append(next(each for each in ring(fleet, order[-1]) if each not in order[-9:]))
    assert all(second in ring(fleet, first)[:2] for first, second in pairwise(order[:40]))
