"""I3: the replacement is advertised and observed before the old route goes."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ambicast.invariants import make_before_break
from tests.properties import fleets

STEPS = ("others advertise", "observe", "withdraw")


def _moved(fleet, step, home, away, prefix):
    match step:
        case "others advertise":
            return fleets.with_sent(fleet, away, add={prefix})
        case "observe":
            return fleets.observed(fleet)
        case "withdraw":
            return fleets.with_sent(fleet, home, drop={prefix, *fleets.halves(home)})


@given(fleets.healthy(), st.permutations(STEPS), st.data())
def test_of_all_orders_of_a_move_only_the_one_that_withdraws_last_keeps_the_promise(
    fleet, order, data
):
    home, away, *_ = data.draw(st.permutations(sorted(fleet.pops)))
    prefix = fleets.own(home)[0]
    fleet = fleets.with_sent(fleet, home, drop=fleets.halves(home))
    held = msgspec.structs.replace(fleet, held=frozenset({fleets.address(prefix)}))
    violations = []
    for step in order:
        after = _moved(held, step, home, away, prefix)
        violations.append(make_before_break(held, after))
        held = after

    broken = [violation for violation in violations if violation]
    if order == list(STEPS):
        assert not broken
    else:
        assert [violation.invariant for violation in broken] == ["I3"]
        assert home in broken[0].detail
        assert prefix in broken[0].detail


@given(fleets.healthy(), st.data())
def test_falling_back_to_the_less_specific_is_no_replacement(fleet, data):
    home = data.draw(st.sampled_from(sorted(fleet.pops)))
    latched = fleets.observed(fleets.with_sent(fleet, home, add=fleets.halves(home)))
    used = msgspec.structs.replace(latched, held=frozenset({fleets.address(fleets.own(home)[0])}))

    violation = make_before_break(used, fleets.with_sent(used, home, drop=fleets.halves(home)))

    assert violation is not None
    assert "less specific" in violation.detail


@given(fleets.healthy(), st.data())
def test_what_nobody_uses_may_simply_go(fleet, data):
    home = data.draw(st.sampled_from(sorted(fleet.pops)))
    unused = msgspec.structs.replace(fleet, answers={}, held=frozenset())
    assert (
        make_before_break(unused, fleets.with_sent(unused, home, drop=set(fleets.own(home))))
        is None
    )


@given(fleets.healthy(), st.booleans(), st.data())
def test_the_last_member_of_the_anycast_prefix_may_not_leave(fleet, gone, data):
    used = msgspec.structs.replace(fleet, held=frozenset(fleets.ANYCAST.values()))
    names = data.draw(st.permutations(sorted(fleet.pops)))
    for name in names[:-1]:
        after = fleets.with_sent(used, name, drop=set(fleets.ANYCAST))
        assert make_before_break(used, after) is None
        used = fleets.observed(after)
    violation = make_before_break(
        used, fleets.with_sent(used, names[-1], drop=set(fleets.ANYCAST))
    )
    assert "nobody else" in violation.detail


@given(fleets.healthy(), st.sampled_from([{"alive": False}, {"fit": frozenset()}]), st.data())
def test_an_emergency_is_exempt(fleet, emergency, data):
    home = data.draw(st.sampled_from(sorted(fleet.pops)))
    ill = fleets.with_pop(fleet, home, **emergency)
    assert (
        make_before_break(ill, fleets.with_sent(ill, home, drop=fleet.pops[home].advertised))
        is None
    )
