"""Every line ExaBGP says is understood, or is Unknown; none raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.bgp.events import (
    Done,
    Down,
    Failed,
    Ignored,
    Negotiated,
    RibRow,
    Sent,
    SessionRow,
    Sessions,
    Unknown,
    Up,
    understand,
)
from agents.bgp.paths import Path
from ambicast.model.identifiers import Family
from tests.agents_bgp import said

NORTH4, NORTH6 = "10.3.1.1", "fd00:3:0:1::1"
FULL = Path(
    "10.3.1.2",
    (64500, 64500),
    med=50,
    communities=((64500, 100), (65535, 0), (65535, 65281)),
    large_communities=((64500, 1, 1), (64500, 1, 2)),
)
TWICE = {"0": {"element": "as-sequence", "value": [64500, 64500]}}


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("done", Done()),
        ("error", Failed()),
        (said.up(NORTH4), Up(NORTH4, 1795374650.5)),
        (said.down(NORTH6, "hold"), Down(NORTH6, 1795374650.5, "hold")),
        (said.negotiated(NORTH4, ["ipv4 unicast"]), Negotiated(NORTH4, (Family.V4,))),
        (said.negotiated(NORTH6, ["ipv6 unicast", "ipv6 flow"]), Negotiated(NORTH6, (Family.V6,))),
        (said.negotiated(NORTH6, []), Negotiated(NORTH6, ())),
        (said.connected(NORTH4), Ignored("state")),
        (said.end_of_rib(NORTH4), Ignored("end of rib")),
        (said.shutdown(), Ignored("notification")),
    ],
    ids=[
        "done", "error", "up", "down", "negotiated", "negotiated more", "negotiated nothing",
        "connected", "end of rib", "shutdown",
    ],
)  # fmt: skip
def test_each_kind_of_line_has_its_meaning(line, meaning):
    assert understand(line) == meaning


def test_an_echo_has_what_was_advertised_and_what_was_withdrawn():
    line = said.sent(NORTH4, ["198.18.0.0/22", "198.18.0.0/23"], ["198.18.9.0/24"])
    plain = Path("10.3.1.2", (64500,))
    assert understand(line) == Sent(
        NORTH4, {"198.18.0.0/22": plain, "198.18.0.0/23": plain}, ("198.18.9.0/24",)
    )


def test_echo_and_row_spell_attributes_differently_and_mean_the_same():
    echoed = {
        "as-path": TWICE,
        "med": 50,
        "community": [[65535, 65281], [64500, 100], [65535, 0]],
        "large-community": [[64500, 1, 2], [64500, 1, 1]],
    }
    shown = echoed | {
        "community": ["64500:100", "65535:0", "no-export"],
        "large-community": ["64500:1:1", "64500:1:2"],
    }
    assert understand(said.sent(NORTH4, ["198.18.0.0/22"], attributes=echoed)) == Sent(
        NORTH4, {"198.18.0.0/22": FULL}, ()
    )
    assert understand(said.row(NORTH4, "198.18.0.0/22", shown)) == RibRow(
        NORTH4, "198.18.0.0/22", FULL
    )


def test_a_row_written_without_as_path_is_none_of_ours():
    bare = understand(said.row(NORTH6, "2001:db8:1000::/46", {}))
    assert bare == RibRow(NORTH6, "2001:db8:1000::/46", Path("fd00:3:0:1::2", ()))


def test_addresses_and_prefixes_are_spelled_our_way():
    odd = said.row(NORTH6, "2001:DB8:1000:0::/46").replace(NORTH6, "FD00:3:0:1:0::1")
    found = understand(odd)
    assert (found.neighbor, found.prefix) == (NORTH6, "2001:db8:1000::/46")


def test_the_table_of_sessions_says_which_are_up_and_what_they_negotiated():
    line = said.table((NORTH4, "ESTABLISHED", ["ipv4 unicast"]), (NORTH6, "CONNECT", []))
    assert understand(line) == Sessions(
        (SessionRow(NORTH4, True, (Family.V4,)), SessionRow(NORTH6, False, ()))
    )


LINES = [
    said.up(NORTH4), said.sent(NORTH4, ["198.18.0.0/22"]), said.row(NORTH4, "198.18.0.0/22"),
    said.table((NORTH4, "ESTABLISHED", ["ipv4 unicast"])),
]  # fmt: skip


@given(st.sampled_from(LINES), st.data())
def test_half_a_line_is_unknown_and_never_an_error(line, data):
    cut = data.draw(st.integers(1, len(line) - 1))
    assert isinstance(understand(line[:cut]), Unknown)


@given(st.text())
def test_no_text_at_all_raises(text):
    understand(text)


@pytest.mark.parametrize(
    "change", [("10.3.1.1", "10.3.1"), ('"up"', "7"), ("1795374650.5", '"x"')]
)
def test_a_field_of_another_shape_is_unknown(change):
    assert isinstance(understand(said.up(NORTH4).replace(*change)), Unknown)
