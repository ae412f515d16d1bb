"""I8: silence of the controller or the broker changes no advertisement and no answer."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambicast.invariants import fail_static
from tests.properties import fleets


def _silent(fleet, *, silent=True):
    return msgspec.structs.replace(fleet, silent=silent)


def _drop_prefix(fleet, name):
    return fleets.with_sent(fleet, name, drop={fleets.own(name)[0]})


def _add_prefix(fleet, name):
    return fleets.with_sent(fleet, name, add={"198.18.252.0/22"})


def _drop_address(fleet, name):
    terminated = fleet.pops[name].terminated - {fleets.ANYCAST["198.19.254.0/23"]}
    return fleets.with_pop(fleet, name, terminated=terminated)


def _change_answer(fleet, name):
    return fleets.with_answer(fleet, f"203.0.113.{len(name)}")


def _kill(fleet, name):
    return fleets.with_pop(fleet, name, alive=False)


def _fail_service(fleet, name):
    return fleets.with_pop(fleet, name, fit=frozenset())


def _lose_uplink(fleet, name):
    return fleets.with_uplink(fleet, name, "north", working=False)


CHANGES = [_drop_prefix, _add_prefix, _drop_address, _change_answer]
CAUSES = [_kill, _fail_service, _lose_uplink]


@given(fleets.healthy())
def test_silence_without_a_change_keeps_the_promise(fleet):
    assert fail_static(_silent(fleet), _silent(fleet)) is None


@pytest.mark.parametrize("change", CHANGES)
@given(fleets.healthy(), st.data())
def test_any_change_in_silence_breaks_the_promise(change, fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))

    violation = fail_static(_silent(fleet), _silent(change(fleet, name)))

    assert violation.invariant == "I8"
    assert violation.detail.endswith("in silence")


@pytest.mark.parametrize("change", CHANGES)
@given(
    fleets.healthy(), st.sampled_from([(True, False), (False, True), (False, False)]), st.data()
)
def test_a_change_while_the_controller_is_heard_is_its_own_affair(change, fleet, heard, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    before, after = heard
    changed = _silent(change(fleet, name), silent=after)
    assert fail_static(_silent(fleet, silent=before), changed) is None


@pytest.mark.parametrize("cause", CAUSES)
@given(fleets.healthy(), st.data())
def test_an_agent_acts_on_what_it_sees_itself(cause, fleet, data):
    name, other, *_ = data.draw(st.permutations(sorted(fleet.pops)))
    after = fleets.with_sent(cause(fleet, name), other, add=fleets.halves(name))
    assert fail_static(_silent(fleet), _silent(after)) is None


@given(fleets.healthy(least=3), st.data())
def test_what_a_lost_pop_had_may_be_added_later_and_nothing_else(fleet, data):
    lost, helper, *_ = data.draw(st.permutations(sorted(fleet.pops)))
    before = _silent(_kill(fleet, lost))
    covered = fleets.with_sent(before, helper, add={*fleets.own(lost), *fleets.halves(lost)})
    assert fail_static(before, covered) is None
    assert fail_static(before, _add_prefix(before, helper)) is not None
    left = fleets.with_sent(covered, helper, drop={fleets.own(lost)[0]})
    assert "in silence" in fail_static(covered, left).detail


@given(fleets.healthy(), st.data())
def test_parts_may_go_around_an_uplink_that_does_not_work(fleet, data):
    name, other, *_ = data.draw(st.permutations(sorted(fleet.pops)))
    before = _silent(_lose_uplink(fleet, name))
    assert fail_static(before, fleets.with_sent(before, name, add=fleets.halves(name))) is None
    added = fleets.halves(name)
    if not added <= fleet.pops[other].advertised:
        assert fail_static(before, fleets.with_sent(before, other, add=added)) is not None
