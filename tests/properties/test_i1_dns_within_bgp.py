"""I1: every answer leads to a living PoP that terminates the address and passes its check."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from ambicast.invariants import dns_within_bgp, landing
from tests.properties import fleets


@given(fleets.healthy())
def test_a_fleet_that_serves_keeps_the_promise(fleet):
    assert dns_within_bgp(fleet) is None


@given(
    fleets.healthy(),
    st.sampled_from([{"alive": False}, {"fit": frozenset()}, {"terminated": frozenset()}]),
    st.data(),
)
def test_one_pop_that_cannot_serve_breaks_every_answer_that_leads_there(fleet, fault, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    ill = fleets.with_pop(fleet, name, **fault)
    leading = [a for *_, a in fleet.given() if name in landing(fleet, a).pops]

    violation = dns_within_bgp(ill)

    assert (violation is not None) is bool(leading)
    if violation:
        assert violation.invariant == "I1"
        assert name in violation.detail
        assert any(address in violation.detail for address in leading)


@given(fleets.healthy(), st.data())
def test_the_covering_prefix_excuses_no_answer(fleet, data):
    name = data.draw(st.sampled_from(sorted(fleet.pops)))
    prefix = data.draw(st.sampled_from(fleets.own(name)))
    fleet = fleets.with_answer(fleet, fleets.address(prefix))
    gone = fleets.with_sent(fleet, name, drop={prefix, *fleets.halves(name)})

    violation = dns_within_bgp(gone)

    assert violation is not None
    assert "only the covering prefix" in violation.detail


@given(fleets.healthy(), st.data())
def test_an_address_that_nobody_advertises_is_no_answer(fleet, data):
    fleet = fleets.with_answer(fleet, "203.0.113.1")
    assert "no PoP advertises" in dns_within_bgp(fleet).detail


@given(fleets.healthy(least=3), st.data())
def test_after_a_silent_death_the_halves_at_survivors_heal_its_answers(fleet, data):
    dead = data.draw(st.sampled_from(sorted(fleet.pops)))
    assume(not fleets.halves(dead) & fleet.pops[dead].advertised)  # not latched
    fleet = fleets.with_answer(fleet, fleets.address(fleets.own(dead)[0]))
    dying = fleets.with_pop(fleet, dead, alive=False)
    assert dns_within_bgp(dying) is not None

    healed = fleets.with_sent(dying, dead, drop=frozenset(fleets.ANYCAST))
    for survivor in set(fleet.pops) - {dead}:
        add = fleets.halves(dead) | set(fleets.own(dead))
        healed = fleets.with_sent(healed, survivor, add=add)

    assert dns_within_bgp(healed) is None


@given(fleets.healthy(least=3), st.data())
def test_the_same_length_alone_does_not_heal_a_silent_death(fleet, data):
    dead, survivor, *_ = data.draw(st.permutations(sorted(fleet.pops)))
    prefix = fleets.own(dead)[0]
    fleet = fleets.with_answer(fleet, fleets.address(prefix))
    dying = fleets.with_pop(fleet, dead, alive=False)

    assert dns_within_bgp(fleets.with_sent(dying, survivor, add={prefix})) is not None
