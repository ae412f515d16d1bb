"""Whatever the weather: what a host may do by itself, and what it may not."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agents.advertising.allowance import permitted
from agents.advertising.observations import (
    BfdSeen,
    BusChanged,
    ControllerSeen,
    Tick,
    Told,
    Watched,
)
from ambicast.contract.messages import Contingency, Sighting
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import family, split
from tests.agents_advertising.hosts import ALLOW, AMS, ANYCAST, OWN, OWN6, Host

LHR = ("198.18.4.0/22", "2001:db8:1004::/46")
PLAN = Contingency(
    lost="lhr",
    prefixes=(*LHR, *(half for prefix in LHR for half in split(prefix, 1))),
    shared=split(ANYCAST, 1),
)
UPLINKS = ("north", "south")
booleans = st.booleans()
per_family = st.fixed_dictionaries(dict.fromkeys(Family, booleans))
seen = st.lists(
    st.builds(
        Sighting,
        pop=st.sampled_from(["fra", "lhr"]),
        uplink=st.sampled_from(UPLINKS),
        family=st.sampled_from(Family),
        up=booleans,
    ),
    max_size=8,
).map(tuple)
looks = st.builds(
    lambda sight, word, working, paused, silent: (sight, word, working, paused, silent),
    seen,
    seen,
    st.fixed_dictionaries(dict.fromkeys(UPLINKS, per_family)),
    st.sampled_from([False] * 7 + [True]),
    booleans,
)
others = st.one_of(
    st.builds(BusChanged, booleans),
    st.builds(ControllerSeen, booleans),
    st.builds(BfdSeen, st.dictionaries(st.sampled_from(UPLINKS), per_family)),
    st.just(Tick()),
)
histories = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0, 1.4]), st.one_of(looks, looks, others)),
    max_size=40,
)


def begin():
    host = Host.healthy(OWN, OWN6, ANYCAST, when_lost=(PLAN,), lease=1.0)
    host.tell(ControllerSeen(online=True))
    return host


def hear(host, what):
    """One step of a history; looks get their instants here."""
    if isinstance(what, tuple):
        sight, word, working, paused, silent = what
        told = Told("fra", "fra-1", "run", fit=frozenset({"www"}), seen=word, heard=host.now)
        what = Watched(sight, {}, working, paused, {} if silent else {"fra-1": told})
    host.tell(what)


def lived(history):
    host = begin()
    for wait, what in history:
        host.now += wait
        hear(host, what)
        yield host
        host.obey()


@given(histories)
def test_i5_only_what_was_ordered_or_done_is_advertised_and_it_is_allowed(history):
    for host in lived(history):
        done = {prefix for deed in host.state.deeds for prefix in deed.prefixes}
        ordered = set(host.state.held.order.advertisements)
        for each in host.desired.advertisements:
            assert permitted(ALLOW, each.prefix)
            assert each in ordered or each.prefix in done


@given(histories)
def test_i5_no_uplink_is_told_more_than_it_takes(history):
    for host in lived(history):
        counts = Counter(
            (each.uplink, family(each.prefix)) for each in host.desired.advertisements
        )
        assert all(count <= AMS.uplinks[name].max_prefixes for (name, _), count in counts.items())


@given(histories)
def test_i8_no_weather_withdraws_a_prefix(history):
    before = begin().prefixes
    for host in lived(history):
        assert before <= host.prefixes
        before = host.prefixes


@given(histories)
def test_i8_while_the_controller_is_heard_nobody_is_covered(history):
    host = begin()
    for wait, what in history:
        host.now += wait
        host.tell(BusChanged(connected=True))
        host.tell(ControllerSeen(online=True))
        if not isinstance(what, (BusChanged, ControllerSeen)):
            hear(host, what)
        assert not host.prefixes & set(PLAN.prefixes)


@given(histories)
def test_a_second_look_at_the_same_moment_changes_nothing(history):
    for host in lived(history):
        before = host.desired
        assert host.tell(Tick()) == before
