from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.answering import tree
from agents.nameserver.mmdb import render
from tests.agents_nameserver.maxmind import look_up, metadata

GROUPS = {
    "198.19.1.0/24": "c1",
    "198.19.0.0/16": "wide",
    "2001:db8:c01::/48": "c1",
    "2001:db8::/32": "wide",
}
FILE = render(tree.grow(GROUPS, "default"))


@pytest.mark.parametrize(
    ("client", "group", "depth"),
    [
        ("198.19.1.9", "c1", 96 + 24),
        ("198.19.2.9", "wide", 96 + 23),
        ("203.0.113.1", "default", 96 + 5),
        ("2001:db8:c01::9", "c1", 48),
        ("2001:db8:ffff::9", "wide", 33),
        ("fd00::1", "default", 1),
    ],
)
def test_every_address_leads_to_its_group_at_the_depth_of_its_scope(client, group, depth):
    assert look_up(FILE, client) == ({"g": group}, depth)


def test_the_file_says_what_it_is():
    about = metadata(FILE)
    assert about["binary_format_major_version"] == 2
    assert about["ip_version"] == 6
    assert about["record_size"] == 32
    assert about["node_count"] * 8 == FILE.index(b"\x00" * 16 + b"\xe1")


def test_the_epoch_is_not_zero_because_the_reader_library_refuses_that():
    assert metadata(FILE)["build_epoch"] == 1


def test_the_same_map_is_the_same_bytes_in_whatever_order_it_is_listed():
    assert render(tree.grow(dict(reversed(GROUPS.items())), "default")) == FILE


def test_a_long_group_name_is_written_with_a_second_length_byte():
    name = "n" * 63
    assert look_up(render(tree.grow({"10.0.0.0/8": name}, "default")), "10.1.1.1").value == {
        "g": name
    }


def test_a_single_leaf_is_no_map():
    with pytest.raises(ValueError, match="search tree"):
        render("default")


@given(
    st.dictionaries(st.integers(0, 255), st.sampled_from(["a", "bb", "c" * 30]), max_size=20),
    st.integers(0, 2**32 - 1),
)
def test_the_file_agrees_with_the_tree_it_was_made_from(octets, client):
    groups = {f"{octet}.0.0.0/{8 + octet % 3}": group for octet, group in octets.items()}
    grown = tree.grow(groups, "default")
    address = str(tree.address("0.0.0.0") + client)
    match = tree.look_up(grown, address)
    assert look_up(render(grown), address) == ({"g": match.group}, 96 + match.scope)
