"""Assignments, failover tables and guards."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambicast.model.clients import ClientGroup
from ambicast.model.identifiers import GroupName, PopName
from controller.planning.assignment import assign
from controller.planning.failover import failover_table
from controller.planning.guards import guard_drain
from tests.choreography.fleets import AMS, FRA, LHR, four_pops, three_pops

FLEET = four_pops()
POPS = sorted(FLEET.pops)


@st.composite
def worlds(draw):
    """A fleet with random groups and capacities."""
    groups = {}
    for number in range(draw(st.integers(1, 12))):
        name = GroupName(f"g{number}")
        lat, lon = draw(st.tuples(st.floats(-80, 80), st.floats(-179, 179)))
        demand = draw(st.floats(0, 100e9))
        groups[name] = ClientGroup(name, (f"198.19.{number}.0/24",), lat, lon, demand)
    pops = {
        name: msgspec.structs.replace(pop, capacity=draw(st.sampled_from((1e9, 50e9, 400e9))))
        for name, pop in FLEET.pops.items()
    }
    return msgspec.structs.replace(FLEET, clients=groups, pops=pops)


shares = st.dictionaries(st.sampled_from(POPS), st.floats(0.01, 1.0), min_size=1)


@given(worlds(), shares)
def test_every_group_is_placed_at_a_pop_that_may_have_it(fleet, shares):
    found = assign(fleet, shares)
    assert set(found.pops) == set(fleet.clients)
    assert set(found.pops.values()) <= set(shares)
    carried = dict.fromkeys(shares, 0.0)
    for group, pop in found.pops.items():
        carried[pop] += fleet.clients[group].demand
    assert carried == pytest.approx(found.load)


@given(worlds(), shares)
def test_overload_happens_only_where_no_pop_had_room_and_is_said(fleet, shares):
    found = assign(fleet, shares)
    limit = {pop: fleet.limits.landing_load * fleet.pops[pop].capacity for pop in shares}
    assert set(found.overloaded) == {pop for pop in shares if found.load[pop] > limit[pop]}
    if all(share == 1.0 for share in shares.values()):
        for pop in found.overloaded:
            least = min(fleet.clients[g].demand for g, at in found.pops.items() if at == pop)
            # The smallest group there fits nowhere else even now, or it came before others.
            assert least > 0


@given(worlds())
def test_a_fleet_with_room_for_all_overloads_nobody(fleet):
    total = sum(group.demand for group in fleet.clients.values())
    room = {n: msgspec.structs.replace(p, capacity=2 * total + 1) for n, p in fleet.pops.items()}
    fleet = msgspec.structs.replace(fleet, pops=room)
    assert assign(fleet, dict.fromkeys(POPS, 1.0)).overloaded == ()


@given(worlds(), st.sampled_from(POPS), st.floats(0.01, 1), st.floats(0.01, 1))
def test_growing_shares_are_growing_sets(fleet, pop, one, other):
    # With room for all; at the limit, a group that came may push another out.
    room = {n: msgspec.structs.replace(p, capacity=1e15) for n, p in fleet.pops.items()}
    fleet = msgspec.structs.replace(fleet, pops=room)
    small, large = sorted((one, other))

    def at(share):
        placed = assign(fleet, {**dict.fromkeys(POPS, 1.0), pop: share}).pops
        return {group for group, where in placed.items() if where == pop}

    assert at(small) <= at(large) <= at(1.0)


@given(worlds())
def test_a_failover_row_never_counts_on_the_lost(fleet):
    given = dict.fromkeys(POPS, 1.0)
    before = assign(fleet, given).pops
    for lost, row in failover_table(fleet, given, 5.0).items():
        assert row.advertisers
        assert lost not in {*row.advertisers, *row.answers.values()}
        assert set({**before, **row.answers}) == set(fleet.clients)


@given(worlds())
def test_all_failover_rows_together_hold_each_client_group_once(fleet):
    rows = failover_table(fleet, dict.fromkeys(POPS, 1.0), 5.0).values()
    moving = [group for row in rows for group in row.answers]
    assert sorted(moving) == sorted(fleet.clients)


def test_nobody_is_drained_below_the_fewest_pops():
    refusal = guard_drain(three_pops(), AMS, {AMS: 1.0}, ())
    assert refusal is not None
    assert str(refusal) == (
        "refused by fewest PoPs: 0 would be left (none); at least 1 must serve"
    )


def test_one_pop_moves_at_a_time_and_may_itself_be_moving():
    given_now = dict.fromkeys((AMS, FRA, LHR), 1.0)
    refusal = guard_drain(three_pops(), AMS, given_now, (FRA,))
    assert refusal is not None
    assert refusal.guard == "one PoP at a time"
    assert guard_drain(three_pops(), AMS, given_now, (AMS,)) is None


def test_a_drain_that_would_overload_names_whom():
    fleet = three_pops()
    heavy = {
        name: msgspec.structs.replace(group, demand=300e9) for name, group in fleet.clients.items()
    }
    fleet = msgspec.structs.replace(fleet, clients=heavy)
    refusal = guard_drain(fleet, AMS, dict.fromkeys((AMS, FRA, LHR), 1.0), ())
    assert refusal is not None
    assert refusal.guard == "landing load"
    assert any(name in refusal.found for name in ("fra", "lhr"))
    assert "90%" in refusal.limit
    assert guard_drain(fleet, PopName("ams"), {}, ()) is not None
