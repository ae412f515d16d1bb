"""From held to wanted in safe order, for any two sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.bgp.difference import LARGEST_GROUP, Advertise, Withdraw, applied, diff, placed
from agents.bgp.paths import Path
from ambicast.model.routes import Advertisement, Attributes

paths = st.builds(
    Path,
    next_hop=st.just("10.3.1.2"),
    as_path=st.integers(1, 3).map(lambda n: (64500,) * n),
    med=st.none() | st.integers(0, 3),
)
prefixes = st.integers(0, 12).map(lambda i: f"198.18.{i}.0/24")
ribs = st.dictionaries(
    st.sampled_from(["10.3.1.1", "10.4.1.1", "10.5.1.1"]), st.dictionaries(prefixes, paths)
)


def full(rib):
    return {neighbor: routes for neighbor, routes in rib.items() if routes}


@given(ribs, ribs)
def test_the_changes_lead_from_held_to_wanted(desired, actual):
    assert full(applied(actual, diff(desired, actual))) == full(desired)


@given(ribs, ribs)
def test_nothing_is_withdrawn_before_everything_is_advertised(desired, actual):
    kinds = [isinstance(change, Withdraw) for change in diff(desired, actual)]
    assert kinds == sorted(kinds)


@given(ribs, ribs)
def test_a_prefix_that_stays_is_never_withdrawn(desired, actual):
    for change in diff(desired, actual):
        if isinstance(change, Withdraw):
            assert not set(change.prefixes) & set(desired.get(change.neighbor, {}))


@given(ribs)
def test_where_nothing_differs_nothing_is_said(rib):
    assert diff(rib, rib) == ()


@given(ribs, ribs)
def test_there_is_one_command_per_neighbor_and_path(desired, actual):
    said = [(c.neighbor, c.path) for c in diff(desired, actual) if isinstance(c, Advertise)]
    assert len(said) == len(set(said))


def test_an_emergency_is_one_command_per_session():
    path = Path("10.3.1.2", (64500,))
    three = dict.fromkeys(("198.18.0.0/22", "198.18.0.0/23", "198.18.2.0/23"), path)
    changes = diff({"10.3.1.1": three, "10.4.1.1": three}, {})
    assert [change.neighbor for change in changes] == ["10.3.1.1", "10.4.1.1"]
    assert all(set(change.prefixes) == set(three) for change in changes)


def test_a_huge_group_is_cut_into_lines_that_exabgp_reads():
    path = Path("10.3.1.2", (64500,))
    many = {f"198.{i // 250}.{i % 250}.0/24": path for i in range(LARGEST_GROUP + 1)}
    sizes = [len(change.prefixes) for change in diff({"10.3.1.1": many}, {})]
    assert sizes == [LARGEST_GROUP, 1]


def test_an_advertisement_goes_to_the_session_of_its_uplink_and_family(sessions):
    attributes = Attributes(prepend=1, communities=("64500:2", "64500:1"))
    found = placed(
        {
            Advertisement("198.18.0.0/22", "south", attributes),
            Advertisement("2001:db8:1000::/46", "north"),
        },
        sessions,
        64500,
    )
    assert full(found) == {
        "10.4.1.1": {
            "198.18.0.0/22": Path("10.4.1.2", (64500, 64500), communities=((64500, 1), (64500, 2)))
        },
        "fd00:3:0:1::1": {"2001:db8:1000::/46": Path("fd00:3:0:1::2", (64500,))},
    }


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Advertisement("198.18.0.0/22", "west"), "no such session; there are north v4, north v6"),
        (Advertisement("198.18.0.1/22", "north"), "is not a prefix"),
        (Advertisement("198.18.0.0/22", "north", Attributes(prepend=-1)), "prepend -1"),
        (Advertisement("198.18.0.0/22", "north", Attributes(med=2**32)), "med 4294967296"),
        (Advertisement("198.18.0.0/22", "north", Attributes(communities=("a",))), "community 'a'"),
        (
            Advertisement("198.18.0.0/22", "north", Attributes(large_communities=("1:2",))),
            "community '1:2': 3 numbers",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_advertised_is_named_with_what_can(sessions, wrong, why):
    with pytest.raises(ValueError, match=why):
        placed({wrong}, sessions, 64500)


def test_one_prefix_with_two_attributes_on_one_session_is_refused(sessions):
    twice = {
        Advertisement("198.18.0.0/22", "north"),
        Advertisement("198.18.0.0/22", "north", Attributes(prepend=1)),
    }
    with pytest.raises(ValueError, match="wanted twice"):
        placed(twice, sessions, 64500)
