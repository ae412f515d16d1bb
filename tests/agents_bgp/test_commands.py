"""Changes into ExaBGP's words, exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.bgp.commands import command, send_again
from agents.bgp.difference import Advertise, Withdraw
from agents.bgp.paths import Path, attributes_of, path_of
from ambicast.model.routes import Attributes

EVERYTHING = Path("fd00::2", (64500,) * 2, 0, ((65535, 0), (65535, 65281)), ((64500, 1, 2),))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            Advertise("10.3.1.1", Path("10.3.1.2", (64500,)), ("198.18.0.0/22", "198.18.0.0/23")),
            (
                "neighbor 10.3.1.1 announce attributes next-hop self as-path [ 64500 ]",
                "nlri 198.18.0.0/22 198.18.0.0/23",
            ),
        ),
        (
            Advertise("fd00::1", EVERYTHING, ("2001:db8::/46",)),
            (
                "neighbor fd00::1 announce attributes next-hop self as-path [ 64500 64500 ] med 0",
                "community [ 65535:0 65535:65281 ] large-community [ 64500:1:2 ]",
                "nlri 2001:db8::/46",
            ),
        ),
        (
            Withdraw("10.3.1.1", ("198.18.0.0/22", "198.18.0.0/23")),
            (
                "neighbor 10.3.1.1 withdraw attributes next-hop self",
                "nlri 198.18.0.0/22 198.18.0.0/23",
            ),
        ),
    ],
    ids=["plain", "everything", "withdraw"],
)
def test_a_change_is_one_line(change, parts):
    assert command(change) == " ".join(parts)


def test_sending_again_names_the_neighbor_first():
    assert send_again("10.3.1.1") == "neighbor 10.3.1.1 flush adj-rib out"


numbers16, numbers32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)


def texts(*parts):
    several = st.sets(st.tuples(*parts), max_size=4)
    return several.map(lambda found: tuple(sorted(":".join(map(str, each)) for each in found)))


@given(
    st.builds(
        Attributes,
        prepend=st.integers(0, 5),
        med=st.none() | numbers32,
        communities=texts(numbers16, numbers16),
        large_communities=texts(numbers32, numbers32, numbers32),
    )
)
def test_attributes_come_back_from_the_path_they_became(attributes):
    assert attributes_of(path_of(attributes, 64500, "10.3.1.2")) == attributes
