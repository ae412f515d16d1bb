"""By which uplink answers leave."""

from __future__ import annotations

import pytest

from agents.advertising.observations import KernelSeen
from agents.advertising.uplinks import FIRST_ANSWERS
from ambicast.model.identifiers import Family
from tests.agents_advertising.hosts import Host, watched

V4, V6 = Family.V4, Family.V6


def both(name):
    return {V4: name, V6: name}


@pytest.fixture
def host():
    """Both uplinks have carrier and work; the kernel has no default route yet."""
    host = Host()
    host.look(default_uplink={})
    host.tell(watched())
    return host


def test_the_first_in_name_order_is_taken(host):
    assert host.desired.default_uplink == both("north")


def test_the_default_route_leaves_a_silent_uplink(host):
    assert host.tell(watched(north=False)).default_uplink == both("south")


def test_the_default_route_leaves_an_uplink_without_carrier_before_probes_know(host):
    assert host.look(carrier=("south",)).default_uplink == both("south")


def test_it_does_not_go_back_when_the_first_uplink_returns(host):
    host.tell(watched(north=False))
    assert host.tell(watched()).default_uplink == both("south")
    assert host.tell(watched(south=False)).default_uplink == both("north")


def test_each_family_goes_its_own_way(host):
    seen = watched()
    seen.working["north"][V6] = False
    assert host.tell(seen).default_uplink == {V4: "north", V6: "south"}


def test_where_none_works_nothing_changes(host):
    host.tell(watched(north=False))
    assert host.tell(watched(north=False, south=False)).default_uplink == both("south")


def test_a_watcher_that_stood_still_is_not_believed(host):
    assert host.tell(watched(north=False, paused=True)).default_uplink == both("north")


def test_a_restarted_agent_keeps_the_uplink_in_use():
    host = Host()
    host.look(default_uplink=both("south"))
    assert host.tell(watched()).default_uplink == both("south")


def test_before_the_kernel_was_read_no_uplink_is_preferred_to_the_one_in_use():
    host = Host()
    assert host.tell(watched()).default_uplink == {}
    assert host.look(default_uplink=both("south")).default_uplink == both("south")


def test_the_first_answers_may_come_in_any_order():
    host = Host()
    host.look(default_uplink={})
    host.tell(watched(north=False, south=False))
    assert host.tell(watched(north=False)).default_uplink == both("north")
    host.wait(FIRST_ANSWERS)
    assert host.desired.default_uplink == both("south")


def test_states_of_uplinks_know_since_when(host):
    began = host.now
    host.wait(5)
    host.tell(watched(south=False))
    north, south = host.state.uplinks
    assert (north.since, south.since) == (began, began + 5)
    assert south.working == {V4: False, V6: False}
    assert south.carrier


def test_what_is_not_known_yet_is_not_told_as_down():
    host = Host()
    host.tell(watched())
    assert host.state.uplinks == ()
    host.look()
    assert [each.carrier for each in host.state.uplinks] == [True, True]


def test_an_uplink_the_kernel_does_not_know_has_no_carrier():
    host = Host()
    host.tell(KernelSeen(terminated=frozenset(), carrier={"south": True}, default_uplink={}))
    assert host.desired.default_uplink == both("south")
