"""The more-specific ladder: halves, quarters, service and witness addresses."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ambicast.model.identifiers import Family
from ambicast.model.prefixes import (
    ROUTABLE_FLOOR,
    PrefixError,
    address,
    contains,
    family,
    host,
    length,
    network,
    split,
    witness,
)


@st.composite
def prefixes(draw, shortest=8):
    kind = draw(st.sampled_from(list(Family)))
    bits, make = {
        Family.V4: (32, ipaddress.IPv4Network),
        Family.V6: (128, ipaddress.IPv6Network),
    }[kind]
    size = draw(st.integers(shortest, ROUTABLE_FLOOR[kind]))
    start = draw(st.integers(0, 2**size - 1)) << (bits - size)
    return str(make((start, size)))


@given(prefixes(), st.integers(1, 2))
def test_the_parts_of_a_prefix_make_it_up_without_overlap(prefix, depth):
    parts = split(prefix, depth)
    if length(prefix) + depth > ROUTABLE_FLOOR[family(prefix)]:
        assert parts == ()
    else:
        assert len(parts) == 2**depth
        networks = [network(part) for part in parts]
        assert list(ipaddress.collapse_addresses(networks)) == [network(prefix)]
        assert {length(part) for part in parts} == {length(prefix) + depth}


@given(prefixes(), prefixes())
def test_contains_says_what_ipaddress_says(one, other):
    assume(family(one) is family(other))
    assert contains(one, other) is network(other).subnet_of(network(one))


@given(prefixes())
def test_a_prefix_contains_itself_its_parts_and_its_addresses(prefix):
    assert contains(prefix, prefix)
    for part in split(prefix, 1):
        assert contains(prefix, part)
        assert not contains(part, prefix)
    assert contains(prefix, host(prefix, 10))


def test_families_do_not_contain_each_other():
    assert not contains("0.0.0.0/0", "::/0")
    assert not contains("::/0", "10.0.0.1")


@given(prefixes())
def test_a_prefix_and_its_parts_have_different_witnesses_inside(prefix):
    assume(length(prefix) <= ROUTABLE_FLOOR[family(prefix)] - 2)
    ladder = (prefix, *split(prefix, 1), *split(prefix, 2))
    witnesses = [witness(part) for part in ladder]
    assert len(set(witnesses)) == len(ladder)
    assert all(contains(part, seen) for part, seen in zip(ladder, witnesses, strict=True))


@given(prefixes(), st.integers(0, 199))
def test_low_addresses_never_meet_the_prefixs_own_witness(prefix, number):
    assert host(prefix, number) != witness(prefix)


@pytest.mark.parametrize(
    ("prefix", "number", "found"),
    [
        ("198.18.0.0/22", 10, "198.18.0.10"),
        ("198.18.0.0/22", 1023, "198.18.3.255"),
        ("2001:db8:1000::/46", 10, "2001:db8:1000::a"),
    ],
)
def test_a_host_is_an_offset(prefix, number, found):
    assert host(prefix, number) == found


def test_a_host_outside_is_refused():
    with pytest.raises(PrefixError, match=r"host 1024 lies outside 198\.18"):
        host("198.18.0.0/22", 1024)


@pytest.mark.parametrize("text", ["198.18.0.1/22", "198.18.0.0/33", "x", "", "10.0.0.0/8/8"])
def test_what_is_no_prefix_is_refused_by_name(text):
    with pytest.raises(PrefixError, match="is not a prefix"):
        network(text)


@pytest.mark.parametrize("text", ["198.18.0", "198.18.0.0/22", "::g", ""])
def test_what_is_no_address_is_refused_by_name(text):
    with pytest.raises(PrefixError, match="is not an address"):
        address(text)
