"""Agents alone: the controller is away, and PoPs die, are cut off, come back."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from ambicast.contract.messages import DeedKind
from ambicast.model.fleet import Limits, LostAtOnce
from ambicast.model.identifiers import Family
from tests.agents_advertising.fleetwide import (
    Fleetwide,
    contingency,
    fleet_of,
    halves,
    order_for,
    v4,
    v6,
)
from tests.agents_advertising.hosts import ANYCAST


@pytest.fixture
def three():
    return Fleetwide(fleet_of("ams", "fra", "lhr"))


@pytest.fixture
def five():
    return Fleetwide(fleet_of("ams", "fra", "lhr", "nyc", "sin"))


def covered(world, name):
    own = world.fleet.pops[name].prefixes
    return {*own, *halves(*own)}


def nothing_changed(world):
    return all(not node.changes for node in world.alive.values())


def test_without_a_failure_a_controller_that_is_away_changes_nothing(three):
    three.controller_dies()
    three.broker_dies()
    three.run(30)
    assert nothing_changed(three)


def test_a_silent_death_is_covered_by_the_others_within_half_a_second(three):
    three.controller_dies()
    three.dead.add("lhr")
    died = three.now
    three.run(0.5)
    for node in three.alive.values():
        assert covered(three, "lhr") <= node.wire
        assert died < node.changes[0][0] <= died + 0.5
        assert [(each.kind, each.about) for each in node.state.deeds] == [(DeedKind.COVER, "lhr")]


def test_all_of_a_family_goes_out_in_one_write(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(5)
    for node in three.alive.values():
        for part in (v4, v6):
            told = [part(wire) for _, wire in node.changes]
            assert len({frozenset(part(node.wire))} | {frozenset(each) for each in told}) <= 2
            assert sum(before != after for before, after in pairwise(told)) <= 1


def test_a_death_while_the_broker_is_down_is_covered_too(three):
    three.broker_dies()
    three.dead.add("lhr")
    three.run(0.5)
    assert all(covered(three, "lhr") <= node.wire for node in three.alive.values())


def test_while_the_controller_is_there_it_is_left_to_it(three):
    three.dead.add("lhr")
    three.run(10)
    assert nothing_changed(three)


def test_a_death_just_before_the_controllers_is_covered_when_its_lease_ends(three):
    three.dead.add("lhr")
    three.run(1)
    assert nothing_changed(three)
    three.controller_dies()
    assert all(covered(three, "lhr") <= node.wire for node in three.alive.values())


def test_more_specifics_of_anycast_are_added_where_nobody_still_sees_it(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(1)
    assert all(halves(ANYCAST) <= node.wire for node in three.alive.values())


def test_and_not_where_one_pop_still_does(five):
    five.controller_dies()
    five.cuts.append(
        lambda asker, _, asked, kind: (
            "lhr" in {asker, asked} - {"sin", "lhr"}
            or ("lhr" in {asker, asked} and "sin" not in {asker, asked})
        )
    )
    five.run(2)
    ams = five.nodes["ams"]
    assert covered(five, "lhr") <= ams.wire
    assert not halves(ANYCAST) & ams.wire


def test_who_is_cut_from_all_others_does_nothing_and_the_others_cover_it(three):
    three.controller_dies()
    three.isolate("lhr")
    three.run(5)
    assert three.nodes["lhr"].changes == []
    assert three.deaths() == {"ams": ["lhr"], "fra": ["lhr"], "lhr": []}


def test_one_witness_is_no_quorum(three):
    three.controller_dies()
    three.cuts.append(lambda asker, _, asked, kind: {asker, asked} == {"ams", "lhr"})
    three.run(5)
    assert nothing_changed(three)


def test_two_deaths_one_second_apart_are_both_covered(five):
    five.controller_dies()
    five.dead.add("lhr")
    five.run(1)
    five.dead.add("sin")
    five.run(1)
    assert five.deaths() == {name: ["lhr", "sin"] for name in ("ams", "fra", "nyc")}


def test_the_last_two_of_three_are_not_enough_to_judge_each_other(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(1)
    three.dead.add("fra")
    three.run(5)
    assert three.deaths() == {"ams": ["lhr"]}


def test_a_mass_loss_stops_at_the_quota_in_name_order():
    names = ["ams", "fra", "lhr", "nyc", "osl", "par", "rom", "sin"]
    world = Fleetwide(fleet_of(*names))
    world.controller_dies()
    world.dead |= {"nyc", "osl", "rom", "sin"}
    world.run(11)
    assert world.deaths() == {name: ["nyc", "osl"] for name in ("ams", "fra", "lhr", "par")}


def test_the_quota_is_the_fleet_files():
    names = ["ams", "fra", "lhr", "nyc", "osl", "par", "rom", "sin"]
    limits = Limits(pops_lost_at_once=LostAtOnce(count=1, share=0.0))
    world = Fleetwide(fleet_of(*names, limits=limits))
    world.controller_dies()
    world.dead |= {"nyc", "osl"}
    world.run(11)
    assert world.deaths()["ams"] == ["nyc"]


def test_a_family_that_falls_silent_is_covered_alone(three):
    three.controller_dies()
    three.cuts.append(lambda asker, _, asked, kind: "lhr" in {asker, asked} and kind is Family.V6)
    three.run(5)
    for name in ("ams", "fra"):
        wire = three.nodes[name].wire
        assert v6(covered(three, "lhr")) <= wire
        assert not v4(covered(three, "lhr")) & wire
    assert three.nodes["lhr"].changes == []


def test_a_gap_of_300_ms_changes_nothing(three):
    three.controller_dies()
    three.isolate("lhr")
    three.run(0.3)
    three.cuts.clear()
    three.run(5)
    assert nothing_changed(three)


def test_a_returned_controller_that_orders_the_same_changes_nothing_on_the_wire(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(2)
    wires = {name: node.state.wire for name, node in three.alive.items()}
    three.beating = True
    for name, node in three.alive.items():
        more = sorted(covered(three, "lhr") | halves(ANYCAST))
        node.give(order_for(three.fleet, name, *more), epoch=2)
        assert node.accepted
        assert node.state.deeds == ()
    three.run(10)
    assert {name: node.state.wire for name, node in three.alive.items()} == wires
    assert all(len(node.changes) <= 2 for node in three.alive.values())


def test_from_then_on_only_orders_rule(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(2)
    ams = three.nodes["ams"]
    more = sorted(covered(three, "lhr") | halves(ANYCAST))
    ams.give(order_for(three.fleet, "ams", *more), epoch=2)
    ams.give(order_for(three.fleet, "ams"), epoch=2, generation=2)
    assert ams.wire == {*three.fleet.pops["ams"].prefixes, ANYCAST}
    three.run(2)
    assert ams.wire >= covered(three, "lhr")  # it is still gone, and nobody is there


def test_a_controller_that_does_not_know_yet_changes_nothing(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(2)
    wires = {name: node.state.wire for name, node in three.alive.items()}
    three.beating = True
    for name, node in three.alive.items():
        node.give(order_for(three.fleet, name), epoch=2)
        assert node.accepted
    three.run(10)
    assert {name: node.state.wire for name, node in three.alive.items()} == wires


def test_a_host_that_is_drained_drops_what_it_covered(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(1)
    ams = three.nodes["ams"]
    whole = order_for(three.fleet, "ams")
    only_v4 = tuple(each for each in whole.advertisements if ":" not in each.prefix)
    ams.give(msgspec.structs.replace(whole, advertisements=only_v4, when_lost=()), epoch=2)
    assert v4(covered(three, "lhr")) <= ams.wire
    assert not v6(ams.wire)
    ams.give(msgspec.structs.replace(whole, advertisements=(), when_lost=()), epoch=3)
    assert ams.wire == set()
    assert ams.state.deeds == ()


def test_a_loss_counts_from_the_end_of_a_pause(three):
    three.controller_dies()
    three.dead.add("lhr")
    ams, fra = (three.nodes[name] for name in ("ams", "fra"))
    seen = tuple(
        msgspec.structs.replace(each, up=each.pop != "lhr")
        for node in (ams, fra)
        for each in node.state.watched.seen
    )
    for paused in (True, True, True, False):
        ams.now += 0.1
        word = msgspec.structs.replace(ams.words["fra-1"], seen=seen[4:], heard=ams.now)
        told = {"fra-1": word}
        ams.tell(
            msgspec.structs.replace(ams.state.watched, seen=seen[:4], paused=paused, told=told)
        )
        assert ams.state.deeds == ()
    assert set(ams.state.weather.lost.values()) == {ams.now}


def test_a_controller_with_an_old_order_is_refused(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(2)
    ams = three.nodes["ams"]
    before = ams.state.wire
    ams.give(order_for(three.fleet, "ams"), epoch=0)
    assert not ams.accepted
    assert ams.state.wire == before


def test_a_pop_that_returns_changes_nothing(three):
    three.controller_dies()
    three.dead.add("lhr")
    three.run(2)
    wires = {name: node.state.wire for name, node in three.alive.items()}
    three.dead.clear()
    three.run(15)
    assert {name: three.nodes[name].state.wire for name in wires} == wires


def test_half_a_controllers_work_is_finished_without_it(three):
    """It died after it had ordered the prefix, before the halves."""
    three.dead.add("lhr")
    own = three.fleet.pops["lhr"].prefixes
    for name, node in three.alive.items():
        node.give(order_for(three.fleet, name, *own), generation=2)
    three.controller_dies()
    for node in three.alive.values():
        assert covered(three, "lhr") <= node.wire
        (deed,) = node.state.deeds
        assert set(deed.prefixes) == halves(*own) | halves(ANYCAST)


def test_where_no_contingency_was_ordered_nothing_is_done(three):
    order = msgspec.structs.replace(
        order_for(three.fleet, "ams"), when_lost=(contingency(three.fleet, "fra"),)
    )
    three.nodes["ams"].give(order, generation=2)
    three.controller_dies()
    three.dead.add("lhr")
    three.run(3)
    assert three.nodes["ams"].changes == []
