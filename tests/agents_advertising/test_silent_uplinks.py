"""Uplinks that fall silent: the parts of what they were told, through the others."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.allowance import Allowance
from agents.advertising.desire import Why
from agents.advertising.observations import BfdSeen
from agents.advertising.telling import report
from ambicast.contract.messages import DeedKind
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import split
from ambicast.model.routes import Advertisement, Attributes
from tests.agents_advertising import hosts
from tests.agents_advertising.hosts import ANYCAST, COVER, OWN, OWN6, Host, order, stamp, watched

V4, V6 = Family.V4, Family.V6
HALVES, HALVES6 = set(split(OWN, 1)), set(split(OWN6, 1))
QUARTERS = set(split(OWN, 2))


@pytest.fixture
def host():
    """Healthy, and watching for long enough."""
    host = Host.healthy(OWN, OWN6, ANYCAST, COVER)
    host.wait(1.0)
    host.tell(watched())
    host.obey()
    return host


def silence(host, seconds=0.61, *, families=tuple(Family), uplink="north", **fields):
    """``uplink`` silent; the watch notices after its window, and goes on telling."""
    seen = watched(**fields)
    for kind in families:
        seen.working[uplink][kind] = False
    host.now += 0.3
    host.tell(seen)
    remaining = seconds - 0.3
    while remaining > 1e-9:
        host.now += min(0.1, remaining)
        remaining -= 0.1
        host.tell(seen)
    host.obey()


def through(host, uplink):
    return {each.prefix for each in host.desired.advertisements if each.uplink == uplink}


def test_the_halves_go_out_through_the_other_uplink(host):
    silence(host)
    assert through(host, "south") == {OWN, OWN6, ANYCAST, COVER} | HALVES | HALVES6
    assert through(host, "north") == {OWN, OWN6, ANYCAST, COVER}
    (deed,) = host.state.deeds
    assert (deed.kind, deed.about) == (DeedKind.SPLIT, "north")


def test_a_gap_of_300_ms_changes_nothing(host):
    before = host.desired.advertisements
    silence(host, 0.35)
    host.tell(watched())
    host.wait(1)
    assert host.desired.advertisements == before
    assert host.state.deeds == ()


def test_nor_do_many_of_them(host):
    before = host.desired.advertisements
    for _ in range(20):
        silence(host, 0.5)
        host.tell(watched())
        host.wait(0.4)
    assert host.desired.advertisements == before


def test_while_no_uplink_answers_the_others_are_gone_and_not_the_uplinks(host):
    before = host.desired.advertisements
    silence(host, 5, south=False)
    assert host.desired.advertisements == before


def test_a_watch_that_stood_still_proves_nothing(host):
    silence(host, 5, paused=True)
    assert host.state.deeds == ()


def test_what_began_before_a_pause_begins_anew_after_it(host):
    silence(host, 0.5)
    host.now += 2.0
    host.tell(watched(north=False, paused=True))
    host.now += 0.3
    host.tell(watched(north=False))
    assert host.state.deeds == ()
    host.now += 0.31
    host.tell(watched(north=False))
    assert len(host.state.deeds) == 1


def test_a_watch_that_does_not_speak_is_not_believed(host):
    silence(host, 0.35)
    host.wait(2.0)
    assert host.state.deeds == ()


def test_an_agent_that_has_just_begun_waits_for_a_second():
    host = Host.healthy(OWN)
    silence(host, 0.9)
    assert host.state.deeds == ()


def test_an_uplink_that_never_worked_is_not_silent():
    host = Host.healthy(OWN)
    host.state = msgspec.structs.replace(host.state, worked=frozenset({("south", V4)}))
    for _ in range(30):
        host.now += 0.1
        host.tell(watched(north=False))
    assert host.state.deeds == ()


def test_bfd_needs_no_patience(host):
    host.tell(BfdSeen({"north": {V4: True}}))
    host.tell(BfdSeen({"north": {V4: False}}))
    assert through(host, "south") >= HALVES
    assert not HALVES6 & through(host, "south")
    assert host.desired.default_uplink == {V4: "south", V6: "north"}


def test_bfd_that_was_never_up_says_nothing(host):
    host.tell(BfdSeen({"north": {V4: False, V6: False}}))
    assert host.state.deeds == ()


def test_bfd_down_everywhere_is_no_uplinks_fault(host):
    up = {name: {V4: True} for name in ("north", "south")}
    host.tell(BfdSeen(up))
    host.tell(BfdSeen({name: {V4: False} for name in up}))
    assert host.state.deeds == ()


def test_one_family_silent_changes_that_one_only(host):
    silence(host, families=[V6])
    assert through(host, "south") >= HALVES6
    assert not HALVES & through(host, "south")
    assert host.desired.default_uplink == {V4: "north", V6: "south"}


def test_a_returned_uplink_gets_the_halves_too_and_nothing_is_withdrawn(host):
    silence(host)
    before = host.desired.advertisements
    host.tell(watched())
    assert host.desired.advertisements > before
    assert through(host, "north") == through(host, "south")
    host.obey()
    after = host.desired.advertisements
    for _ in range(100):
        host.now += 1.0
        host.tell(watched())
    assert host.desired.advertisements == after


def test_an_order_with_the_halves_changes_nothing_on_the_wire(host):
    silence(host)
    host.tell(watched())
    host.obey()
    before = host.desired.advertisements
    host.give(order(OWN, OWN6, ANYCAST, COVER, *HALVES, *HALVES6), stamp(2))
    assert host.desired.advertisements == before
    assert host.state.deeds == ()


def test_an_order_that_came_while_it_is_silent_does_not_drive_it_deeper(host):
    silence(host)
    host.give(order(OWN, OWN6, ANYCAST, COVER, *HALVES, *HALVES6), stamp(2))
    host.obey()
    silence(host, 5)
    assert not QUARTERS & host.prefixes


def test_the_next_silence_goes_one_rung_deeper(host):
    silence(host)
    host.tell(watched())
    host.obey()
    silence(host)
    assert through(host, "south") >= HALVES | QUARTERS
    assert not QUARTERS & through(host, "north")


def test_at_the_routable_floor_there_is_no_rung(host):
    for _ in range(4):
        silence(host)
        for _ in range(70):
            host.now += 1.0
            host.tell(watched())
        host.obey()
    lengths = {int(prefix.split("/")[1]) for prefix in host.prefixes if ":" not in prefix}
    assert max(lengths) == 24


def test_a_silent_uplink_that_never_got_the_halves_needs_no_deeper_rung(host):
    silence(host)
    host.tell(watched())
    silence(host, 5)
    assert not QUARTERS & host.prefixes


def test_a_prefix_that_is_no_longer_ordered_takes_its_parts_with_it(host):
    silence(host)
    host.give(order(OWN6, ANYCAST, COVER), stamp(2))
    assert host.prefixes == {OWN6, ANYCAST, COVER} | HALVES6


def test_a_drained_host_drops_everything(host):
    silence(host)
    host.give(order(), stamp(2))
    assert host.prefixes == set()
    assert host.state.deeds == ()


def test_the_parts_are_like_the_whole(host):
    leaving = Attributes(prepend=2, communities=("65535:0",))
    whole = tuple(Advertisement(OWN, name, leaving) for name in ("north", "south"))
    host.give(msgspec.structs.replace(order(), advertisements=whole), stamp(2))
    host.obey()
    silence(host)
    added = [each for each in host.desired.advertisements if each.prefix in HALVES]
    assert [each.attributes for each in added] == [leaving, leaving]


def test_what_the_allow_list_does_not_permit_is_no_deed(host, monkeypatch):
    narrow = msgspec.structs.replace(hosts.FACTS, allow=(Allowance("198.18.0.0/15", 22),))
    monkeypatch.setattr(hosts, "FACTS", narrow)
    silence(host, families=[V4])
    assert host.state.deeds == ()


def test_parts_for_which_there_is_no_room_are_named(host, monkeypatch):
    uplinks = {
        name: msgspec.structs.replace(each, max_prefixes=4)
        for name, each in hosts.AMS.uplinks.items()
    }
    pop = msgspec.structs.replace(hosts.AMS, uplinks=uplinks)
    monkeypatch.setattr(hosts, "FACTS", msgspec.structs.replace(hosts.FACTS, pop=pop))
    silence(host, families=[V4])
    lower, upper = split(OWN, 1)
    assert lower in through(host, "south")
    assert host.desired.withheld == {upper: Why.NO_ROOM}


def test_deeds_are_reported_with_instants_for_people(host):
    silence(host, families=[V4])
    (told,) = report(host.state, hosts.FACTS).deeds
    (done,) = host.state.deeds
    assert told == msgspec.structs.replace(done, since=round(done.since + 1e9, 3))


def test_unfit_services_are_not_split_for(host):
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    silence(host)
    assert host.state.deeds == ()


def test_a_deed_outlives_the_agent(host):
    silence(host)
    before = host.desired.advertisements
    again = Host()
    again.state = msgspec.structs.replace(again.state, deeds=host.state.deeds)
    again.give(order(OWN, OWN6, ANYCAST, COVER), stamp(1))
    again.attach(*before)
    again.judge("www", fit=True)
    again.judge("video", fit=True)
    again.look(*host.desired.addresses)
    assert again.desired.advertisements == before
