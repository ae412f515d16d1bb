from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.watch.rounds import Rounds
from agents.watch.targets import asks
from ambicast.model.identifiers import Family, Role
from ambicast.model.watching import watched
from tests.agents_watch.fleets import fleet_of, with_two_hosts


def test_in_a_large_fleet_those_are_asked_whom_the_rule_names():
    fleet = fleet_of([f"p{n}" for n in range(60)])
    found = asks(fleet, fleet.pops["p7"], "p7-1")
    assert {each.path.pop for each in found} == set(watched(fleet, "p7"))


def test_nobody_watches_in_a_fleet_of_one():
    fleet = fleet_of(["ams"])
    assert asks(fleet, fleet.pops["ams"], "ams-1") == ()


def test_every_path_is_asked_through_every_own_uplink_of_its_family():
    fleet = fleet_of()
    found = asks(fleet, fleet.pops["ams"], "ams-1")
    assert len(found) == 2 * 2 * 2 * 2  # PoPs, their uplinks, families, own uplinks
    assert len({(each.path, each.exit) for each in found}) == len(found)
    for each in found:
        there = fleet.pops[each.path.pop].uplinks[each.path.uplink]
        assert each.target == there.identity[each.path.family]
        assert (
            each.source == fleet.pops["ams"].uplinks[each.exit.uplink].identity[each.exit.family]
        )
        assert each.exit.family is each.path.family


def test_each_path_is_asked_half_an_interval_apart_and_each_pop_all_the_time():
    fleet = fleet_of()
    found = asks(fleet, fleet.pops["ams"], "ams-1")
    turns = defaultdict(list)
    for turn, each in enumerate(found):
        turns[each.path].append(turn)
    assert {second - first for first, second in turns.values()} == {len(found) // 2}
    assert [each.path.pop for each in found] == ["fra", "lhr"] * (len(found) // 2)


def test_addresses_are_compared_as_the_kernel_spells_them():
    fleet = fleet_of()
    v6 = {
        each.target
        for each in asks(fleet, fleet.pops["ams"], "ams-1")
        if each.path.family is Family.V6
    }
    assert v6 == {"fd00:2:0:1::2", "fd00:2:0:2::2", "fd00:3:0:1::2", "fd00:3:0:2::2"}


def _turns(count, instants, period=0.1):
    rounds = Rounds(period)
    return [turn for now in instants for turn in rounds.due(count, now)]


@given(count=st.integers(1, 50), step=st.sampled_from([0.001, 0.01, 0.02, 0.03]))
def test_each_has_its_turn_once_per_period_however_the_timer_ticks(count, step):
    instants = [1000.0 + n * step for n in range(int(1.0 / step) + 1)]
    per_turn = Counter(_turns(count, instants))
    assert set(per_turn) == set(range(count))
    assert all(9 <= times <= 11 for times in per_turn.values())


def test_turns_missed_in_a_pause_are_not_made_up_for():
    assert sorted(_turns(8, [50.0, 53.7])) == list(range(8))


@pytest.mark.parametrize("instants", [[7.0], [7.0, 7.0]])
def test_the_first_look_asks_nobody_because_no_time_has_passed(instants):
    assert _turns(8, instants) == []


def test_every_host_of_other_pops_is_asked_and_every_other_host_of_the_own_one():
    fleet = with_two_hosts(with_two_hosts(fleet_of(), "fra"), "ams")
    found = asks(fleet, fleet.pops["ams"].at("ams-2"), "ams-2")
    assert {each.path.host for each in found} == {"ams-1", "fra-1", "fra-2", "lhr-1"}
    assert len(found) == 4 * 2 * 2 * 2  # hosts, their uplinks, families, own uplinks
    for each in found:
        there = fleet.pops[each.path.pop].at(each.path.host).uplinks[each.path.uplink]
        assert each.target == there.identity[each.path.family]
        here = fleet.pops["ams"].at("ams-2").uplinks[each.exit.uplink]
        assert each.source == here.identity[each.exit.family]


def test_an_own_uplink_is_judged_by_other_pops_alone():
    fleet = with_two_hosts(fleet_of(), "ams")
    for each in asks(fleet, fleet.pops["ams"], "ams-1"):
        assert each.judged == (None if each.path.pop == "ams" else each.exit)


def test_each_path_to_many_hosts_is_asked_half_an_interval_apart_too():
    fleet = with_two_hosts(fleet_of(), "fra")
    found = asks(fleet, fleet.pops["ams"], "ams-1")
    turns = defaultdict(list)
    for turn, each in enumerate(found):
        turns[each.path].append(turn)
    assert {second - first for first, second in turns.values()} == {len(found) // 2}


def test_a_host_that_speaks_no_bgp_is_not_watched():
    fleet = with_two_hosts(fleet_of(), "fra")
    fra = replace(fleet.pops["fra"], hosts={"fra-1": (Role.BGP,), "fra-2": (Role.DNS,)})
    fleet = replace(fleet, pops={**fleet.pops, "fra": fra})
    found = asks(fleet, fleet.pops["ams"], "ams-1")
    assert {each.path.host for each in found} == {"fra-1", "lhr-1"}
