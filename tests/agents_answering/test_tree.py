from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from agents.answering.tree import Match, first_leaf, grow, look_up
from ambicast.model.identifiers import Family


def test_a_listed_prefix_is_answered_with_its_own_length_as_scope():
    tree = grow({"198.19.1.0/24": "c1", "2001:db8:c01::/48": "c1"}, "default")
    assert look_up(tree, "198.19.1.77") == Match("c1", 24)
    assert look_up(tree, "2001:db8:c01:8::1") == Match("c1", 48)


def test_the_longest_prefix_wins_and_cuts_the_shorter_one():
    tree = grow({"10.0.0.0/8": "wide", "10.0.0.0/10": "narrow"}, "default")
    assert look_up(tree, "10.1.0.1") == Match("narrow", 10)
    assert look_up(tree, "10.200.0.1") == Match("wide", 9)


def test_the_order_of_listing_means_nothing():
    one = {"10.0.0.0/8": "wide", "10.0.0.0/10": "narrow", "10.64.0.0/16": "deep"}
    other = dict(reversed(one.items()))
    assert grow(one, "default") == grow(other, "default")


def test_everything_not_listed_is_the_default_with_the_scope_of_the_hole():
    tree = grow({"128.0.0.0/2": "c1"}, "default")
    assert look_up(tree, "1.2.3.4") == Match("default", 1)
    assert look_up(tree, "200.0.0.1") == Match("default", 2)


def test_an_ipv6_prefix_over_the_mapped_range_says_nothing_about_ipv4():
    tree = grow({"::/0": "six"}, "default")
    assert look_up(tree, "198.19.1.1") == Match("default", 0)
    assert look_up(tree, "2001:db8::1").group == "six"


def test_a_sample_is_the_widest_prefix_of_its_group_and_family():
    tree = grow({"10.0.0.0/8": "c1", "192.168.0.0/24": "c1", "fd00::/16": "c1"}, "default")
    assert first_leaf(tree, Family.V4, "c1") == "10.0.0.0/8"
    assert first_leaf(tree, Family.V6, "c1") == "fd00::/16"
    assert first_leaf(tree, Family.V4, "default") == "64.0.0.0/2"
    assert first_leaf(tree, Family.V6, "default") == "4000::/2"


def test_no_sample_of_a_family_where_a_group_has_none():
    tree = grow({"10.0.0.0/8": "c1"}, "default")
    assert first_leaf(tree, Family.V6, "c1") is None


V4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda pair: str(ipaddress.ip_network(pair, strict=False))
)
V6 = st.tuples(st.integers(2**32, 2**128 - 1), st.integers(1, 64)).map(
    lambda pair: str(ipaddress.ip_network(pair, strict=False))
)
# Addresses in ::/96 stand for IPv4 in the tree; as IPv6 nobody has one.
ASKED = st.one_of(V4, V6).filter(
    lambda text: "." in text or int(ipaddress.ip_network(text)[0]) >> 32
)
GROUPS = st.dictionaries(st.one_of(V4, V6), st.sampled_from("abc"), max_size=12)


@given(GROUPS, ASKED)
def test_the_tree_agrees_with_looking_through_the_whole_list(groups, asked):
    first = ipaddress.ip_network(asked).network_address
    holding = [ipaddress.ip_network(each) for each in groups]
    holding = [each for each in holding if each.version == first.version and first in each]
    longest = max(holding, key=lambda each: each.prefixlen, default=None)
    expected = groups[str(longest)] if longest else "default"
    assert look_up(grow(groups, "default"), str(first)).group == expected


@given(GROUPS, ASKED)
def test_nobody_within_the_scope_gets_another_answer(groups, asked):
    first = ipaddress.ip_network(asked).network_address
    tree = grow(groups, "default")
    match = look_up(tree, str(first))
    kind = ipaddress.IPv4Network if first.version == 4 else ipaddress.IPv6Network
    around = kind((int(first), match.scope), strict=False)
    inside = [
        ipaddress.ip_network(each)
        for each in groups
        if ipaddress.ip_network(each).version == first.version
    ]
    for each in inside:
        if each.prefixlen > match.scope and each.network_address in around:
            assert match.group == groups[str(each)]
    assert look_up(tree, str(around.broadcast_address)).group == match.group
