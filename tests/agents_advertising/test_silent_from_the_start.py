"""Uplinks that are silent when the agent starts: those that have ever worked are believed."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.observations import BgpSeen
from agents.advertising.weather import Weather
from ambicast.contract.messages import DeedKind
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import split
from tests.agents_advertising.hosts import OWN, OWN6, Host, adverts, order, stamp, told, watched

BOTH = frozenset((name, kind) for name in ("north", "south") for kind in Family)
HALVES = {*split(OWN, 1), *split(OWN6, 1)}


def restarted(proven=BOTH, through=("north", "south")):
    """An agent that finds ExaBGP as the one before left it, with the order that was kept."""
    host = Host()
    host.state = msgspec.structs.replace(host.state, weather=Weather(proven=proven))
    host.give(order(OWN, OWN6), stamp(1))
    rib, wire = adverts(OWN, OWN6), adverts(OWN, OWN6, through=through)
    host.tell(BgpSeen(attached=True, rib=frozenset(rib), wire=frozenset(wire)))
    host.judge("www", fit=True)
    host.judge("video", fit=True)
    return host


def listen(host, seconds, **working):
    for _ in range(round(seconds / 0.25)):
        host.now += 0.25
        seen = watched(**working, told={"fra-1": told("fra", host.now, "www", "video")})
        host.tell(seen)


def test_an_uplink_that_fell_silent_while_the_agent_was_away_is_gone_around():
    host = restarted()
    listen(host, 3.75, north=False)
    assert host.state.deeds == ()
    listen(host, 1.0, north=False)
    host.obey()
    assert [(each.kind, each.about) for each in host.state.deeds] == [(DeedKind.SPLIT, "north")]
    assert {e.prefix for e in host.desired.advertisements if e.uplink == "south"} >= HALVES


@pytest.mark.parametrize(
    "proven",
    [frozenset(), frozenset({("south", Family.V4), ("south", Family.V6)})],
    ids=["a new host", "an uplink whose addresses are wrong"],
)
def test_an_uplink_that_never_worked_changes_nothing(proven):
    host = restarted(proven)
    before = host.desired.advertisements
    listen(host, 60, north=False)
    assert host.desired.advertisements == before
    assert host.state.deeds == ()


def test_nor_does_one_whose_neighbor_was_sent_nothing():
    host = restarted(through=("south",))
    listen(host, 60, north=False)
    assert host.state.deeds == ()


def test_nor_one_that_is_late_when_the_host_boots():
    host = restarted()
    listen(host, 3.5, north=False)
    listen(host, 60)
    assert host.state.deeds == ()


def test_nor_silence_everywhere():
    host = restarted()
    listen(host, 60, north=False, south=False)
    assert host.state.deeds == ()


def test_the_default_route_does_not_wait_for_answers_because_they_came_once():
    host = restarted()
    host.look()
    first = host.desired.default_uplink
    host.now += 0.31
    host.tell(watched(north=False))
    assert host.desired.default_uplink == first


def test_what_works_is_remembered_by_family():
    host = restarted(frozenset())
    seen = watched(south=False)
    seen.working["north"][Family.V6] = False
    host.tell(seen)
    host.tell(watched(north=False, south=False))
    assert host.state.weather.proven == {("north", Family.V4)}
