"""I7: the last living PoP of a prefix does not withdraw it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ambicast.invariants import last_one_stays
from tests.properties import fleets


@given(fleets.healthy())
def test_a_fleet_that_stays_as_it_is_keeps_the_promise(fleet):
    assert last_one_stays(fleet, fleet) is None


@given(fleets.healthy(), st.data())
def test_all_but_one_may_leave_an_anycast_prefix(fleet, data):
    names = data.draw(st.permutations(sorted(fleet.pops)))
    for name in names[:-1]:
        after = fleets.with_sent(fleet, name, drop=set(fleets.ANYCAST))
        assert last_one_stays(fleet, after) is None
        fleet = after
    violation = last_one_stays(fleet, fleets.with_sent(fleet, names[-1], drop=set(fleets.ANYCAST)))
    assert violation.invariant == "I7"
    assert names[-1] in violation.detail


@given(fleets.healthy())
def test_all_at_once_may_not(fleet):
    after = fleet
    for name in fleet.pops:
        after = fleets.with_sent(after, name, drop=set(fleets.ANYCAST))
    assert last_one_stays(fleet, after) is not None


@given(fleets.healthy(), st.data())
def test_a_cover_of_another_pop_is_enough(fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    own = {fleets.own(name)[0], *fleets.halves(name)}
    assert last_one_stays(fleet, fleets.with_sent(fleet, name, drop=own)) is None


@given(fleets.healthy(), st.data())
def test_a_death_is_no_withdrawal(fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    after = fleets.with_pop(fleet, name, alive=False, uplinks={})
    assert last_one_stays(fleet, after) is None


@given(fleets.healthy(least=3), st.data())
def test_the_dead_do_not_carry_what_the_living_leave(fleet, data):
    dead, *living = data.draw(st.permutations(sorted(fleet.pops)))
    fleet = fleets.with_pop(fleet, dead, alive=False)
    after = fleet
    for name in living:
        after = fleets.with_sent(after, name, drop=set(fleets.ANYCAST))
    assert last_one_stays(fleet, after) is not None
