"""Topics are spelled and parsed by one module, and each spelling means one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ambicast.contract.topics import (
    RETAINED,
    Channel,
    FromController,
    OfHost,
    OfNameserver,
    everything,
    everything_from_agents,
    parse,
    spell,
)

NAMES = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\Z")
CHANNELS = st.sampled_from(list(Channel))
TOPICS = st.one_of(
    st.just(FromController()),
    st.builds(OfHost, NAMES, NAMES, CHANNELS),
    st.builds(OfNameserver, NAMES, CHANNELS),
)
UPWARD = {
    Channel.PRESENCE, Channel.RECEIPT, Channel.REPORT, Channel.SIGHTINGS, Channel.TELEMETRY,
}  # fmt: skip


def matches(pattern: str, topic: str) -> bool:
    """MQTT 5 section 4.7.1."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        return levels[: len(wanted) - 1] == wanted[:-1]
    pairs = zip(wanted, levels, strict=False)
    return len(wanted) == len(levels) and all(w in {"+", level} for w, level in pairs)


@given(NAMES, TOPICS)
def test_a_topic_is_parsed_to_what_it_was_spelled_from(fleet, topic):
    assert parse(fleet, spell(fleet, topic)) == topic


@given(NAMES, TOPICS, TOPICS)
def test_two_things_are_never_spelled_the_same(fleet, one, other):
    assert (spell(fleet, one) == spell(fleet, other)) is (one == other)


@given(NAMES, NAMES, TOPICS)
def test_another_fleets_topics_are_not_ours(mine, other, topic):
    assert (parse(mine, spell(other, topic)) is None) is (mine != other)


@pytest.mark.parametrize(
    "text",
    [
        "", "ambicast", "ambicast/v1/lab", "ambicast/v1/lab/", "ambicast/v2/lab/pops/a/b/order",
        "ambicast/v1/lab/pops/ams/ams-1/oracle", "ambicast/v1/lab/pops/ams/order",
        "ambicast/v1/lab/pops/ams/ams-1/order/more", "ambicast/v1/lab/nameservers/ams",
        "ambicast/v1/lab/controller/order", "/ambicast/v1/lab/controller/presence",
        "ambicast/v1/laboratory/controller/presence",
    ],
)  # fmt: skip
def test_other_texts_are_no_topics(text):
    assert parse("lab", text) is None


@given(NAMES, TOPICS)
def test_the_controller_hears_what_agents_send_and_not_its_own_orders(fleet, topic):
    heard = any(matches(p, spell(fleet, topic)) for p in everything_from_agents(fleet))
    match topic:
        case FromController():
            assert heard
        case OfHost(_, _, channel):
            assert heard is (channel in UPWARD)
        case OfNameserver(_, channel):
            assert heard is (channel in {Channel.PRESENCE, Channel.RECEIPT, Channel.REPORT})
    assert matches(everything(fleet), spell(fleet, topic))


def test_all_that_is_a_state_is_retained_and_nothing_else():
    assert set(Channel) - RETAINED == {Channel.RECEIPT, Channel.TELEMETRY}


def test_the_spelling_is_part_of_the_contract():
    spelled = {
        spell("example", FromController()): "ambicast/v1/example/controller/presence",
        spell("example", OfHost("ams", "ams-1", Channel.ORDER)): (
            "ambicast/v1/example/pops/ams/ams-1/order"
        ),
        spell("example", OfNameserver("ams", Channel.STEERING)): (
            "ambicast/v1/example/nameservers/ams/steering"
        ),
    }
    for found, wanted in spelled.items():
        assert found == wanted
