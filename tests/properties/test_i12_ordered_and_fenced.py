"""I12: no host goes back to an older order, and an answer waits for the route it relies on."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ambicast.invariants import ordered_and_fenced
from tests.properties import fleets


@given(fleets.healthy(), st.data())
def test_a_host_takes_newer_orders_only(fleet, data):
    later = {host: data.draw(fleets.stamps()) for host in fleet.stamps}
    after = msgspec.structs.replace(fleet, stamps=later)

    violation = ordered_and_fenced(fleet, after)

    back = [
        host
        for host, old in fleet.stamps.items()
        if (later[host].epoch, later[host].generation) < (old.epoch, old.generation)
    ]
    assert (violation is not None) is bool(back)
    assert violation is None or violation.detail.split()[0] in back


@given(fleets.healthy(), st.data())
def test_a_host_that_is_not_heard_has_not_gone_back(fleet, data):
    assert ordered_and_fenced(fleet, msgspec.structs.replace(fleet, stamps={})) is None


@given(fleets.healthy(), st.data())
def test_an_answer_begins_only_after_its_route_was_observed(fleet, data):
    home = data.draw(st.sampled_from(sorted(fleet.pops)))
    prefix = fleets.own(home)[0]
    drop = {prefix, *fleets.halves(home)}
    bare = fleets.observed(fleets.with_sent(fleet, home, drop=drop))
    bare = msgspec.structs.replace(bare, answers={ns: {"www": {}} for ns in bare.answers})
    steps = [
        bare,
        fleets.with_sent(bare, home, add={prefix}),
        fleets.observed(fleets.with_sent(bare, home, add={prefix})),
    ]
    given = [fleets.with_answer(step, fleets.address(prefix)) for step in steps]

    violations = [ordered_and_fenced(b, a) for b, a in zip(steps, given, strict=True)]

    assert "more than the covering prefix" in violations[0].detail
    assert f"before {prefix} from {home} had been observed" in violations[1].detail
    assert violations[2] is None


@given(fleets.healthy())
def test_an_answer_to_an_address_without_any_route_is_out_of_order(fleet):
    after = fleets.with_answer(fleet, "203.0.113.1")
    assert "before any PoP advertised it" in ordered_and_fenced(fleet, after).detail


@given(fleets.healthy())
def test_answers_that_stay_are_not_judged_again(fleet):
    unseen = msgspec.structs.replace(fleet, observed={})
    assert ordered_and_fenced(unseen, unseen) is None
