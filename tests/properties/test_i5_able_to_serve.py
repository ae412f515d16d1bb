"""I5: a PoP advertises only what it terminates, may advertise, and its neighbors accept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ambicast.invariants import able_to_serve
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import contains, family
from tests.properties import fleets


@given(fleets.healthy())
def test_a_fleet_that_serves_keeps_the_promise(fleet):
    assert able_to_serve(fleet) is None


@given(fleets.healthy(), st.data())
def test_an_advertisement_that_one_list_lacks_is_named(fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    pop = fleet.pops[name]
    prefix = data.draw(st.sampled_from(sorted(pop.advertised)))
    which = data.draw(st.sampled_from(["allowed", "authorised"]))
    lacking = fleets.with_pop(fleet, name, **{which: pop.allowed - {prefix}})

    violation = able_to_serve(lacking)

    assert violation.invariant == "I5"
    assert violation.detail.startswith(f"{name} advertises {prefix}, which ")


@given(fleets.healthy(), st.data())
def test_every_address_that_a_prefix_may_attract_is_terminated(fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    address = data.draw(st.sampled_from(sorted(fleet.services["www"])))
    pop = fleet.pops[name]
    lacking = fleets.with_pop(fleet, name, terminated=pop.terminated - {address})

    violation = able_to_serve(lacking)

    attracts = any(contains(prefix, address) for prefix in pop.advertised)
    assert (violation is not None) is attracts
    assert violation is None or violation.detail.endswith(f"does not terminate {address}")


@given(fleets.healthy(), st.sampled_from(list(Family)), st.data())
def test_nothing_is_sent_in_a_family_that_was_not_negotiated(fleet, kind, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    uplink = data.draw(st.sampled_from(sorted(fleet.pops[name].uplinks)))
    deaf = fleets.with_uplink(fleet, name, uplink, families=fleets.without_families(kind))

    violation = able_to_serve(deaf)

    assert uplink in violation.detail
    assert f"family {kind}" in violation.detail


@given(fleets.healthy(), st.integers(1, 12), st.data())
def test_the_neighbors_limit_counts_per_family(fleet, room, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    uplink = data.draw(st.sampled_from(sorted(fleet.pops[name].uplinks)))
    sent = fleet.pops[name].uplinks[uplink].advertised
    most = max(sum(family(prefix) is kind for prefix in sent) for kind in Family)

    violation = able_to_serve(fleets.with_uplink(fleet, name, uplink, max_prefixes=room))

    assert (violation is not None) is (most > room)
    assert violation is None or f"of {room} accepted" in violation.detail


@given(fleets.healthy(), st.data())
def test_a_dead_pop_is_not_judged(fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    assert able_to_serve(fleets.with_pop(fleet, name, alive=False, allowed=frozenset())) is None
