"""Stories of one host: what it advertises and terminates, and when it takes that back."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.allowance import Allowance
from agents.advertising.desire import PATIENCE, Why, desired
from agents.advertising.observations import BgpSeen, BusChanged, ServiceChecked
from ambicast.contract.messages import Order
from ambicast.model.prefixes import witness
from ambicast.model.routes import Advertisement, Attributes
from tests.agents_advertising.hosts import (
    ANYCAST,
    COVER,
    FACTS,
    OWN,
    TERMINATE,
    UPPER_HALF,
    VIDEO,
    VIDEO_HERE,
    WWW_FRA,
    WWW_HERE,
    Host,
    adverts,
    order,
    stamp,
)


def test_without_an_order_the_host_stays_with_what_it_finds():
    host = Host()
    host.attach(*adverts(OWN))
    host.look(WWW_HERE)
    host.judge("www", fit=False)
    assert host.desired.advertisements == frozenset(adverts(OWN))
    assert host.desired.addresses is None


def test_until_exabgp_is_attached_nothing_is_wanted_of_it():
    host = Host()
    host.give(order(OWN), stamp(1))
    assert host.tell(BgpSeen(attached=False)).advertisements is None


def test_addresses_come_before_the_advertisement():
    host = Host()
    host.attach()
    host.judge("www", fit=True)
    host.give(order(OWN), stamp(1))
    assert host.look().advertisements == frozenset()
    assert host.desired.addresses == frozenset(TERMINATE)
    assert host.desired.withheld == {OWN: Why.ADDRESSES}
    assert host.look(*set(TERMINATE) - {VIDEO_HERE}).advertisements == frozenset()
    assert host.look(*TERMINATE).advertisements == frozenset(adverts(OWN))


def test_a_witness_lives_as_long_as_its_advertisement():
    host = Host.healthy(OWN)
    assert witness(OWN) in host.desired.addresses
    host.judge("www", fit=False)
    assert witness(OWN) in host.judge("video", fit=True).addresses
    assert witness(OWN) not in host.judge("video", fit=False).addresses


def test_an_order_is_followed_with_its_attributes():
    host = Host.healthy(OWN)
    prepended = Advertisement(OWN, "north", Attributes(prepend=2))
    host.give(Order(advertisements=(prepended,), terminate=TERMINATE), stamp(2))
    assert host.desired.advertisements == {prepended}


def test_an_unfit_service_takes_its_prefixes_down_at_once():
    host = Host.healthy(ANYCAST, VIDEO, COVER)
    host.judge("www", fit=False)
    assert host.prefixes == {VIDEO, COVER}, "the cover leads to videos of another PoP too"


def test_a_prefix_with_a_fit_service_stays():
    host = Host.healthy(OWN)
    host.judge("www", fit=False)
    assert host.prefixes == {OWN}
    host.judge("video", fit=False)
    assert host.prefixes == set()
    assert host.desired.withheld == {OWN: Why.UNFIT}


def test_half_a_prefix_without_addresses_stands_and_falls_with_the_whole():
    host = Host.healthy(OWN, UPPER_HALF)
    host.judge("www", fit=False)
    assert UPPER_HALF in host.prefixes
    host.judge("video", fit=False)
    assert host.prefixes == set()


def test_the_keeper_stays_with_an_unfit_service():
    host = Host.healthy(ANYCAST, VIDEO, OWN, keepers={ANYCAST: "ams", VIDEO: "fra"})
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    assert host.prefixes == {ANYCAST}


def test_a_service_that_recovers_is_advertised_again():
    host = Host.healthy(ANYCAST)
    host.judge("www", fit=False)
    host.obey()
    assert host.prefixes == set()
    host.judge("www", fit=True)
    host.wait(FACTS.fleet.timing.settle_down - 0.1)
    assert host.prefixes == set()
    assert host.desired.withheld == {ANYCAST: Why.HELD_DOWN}
    host.wait(0.2)
    assert host.prefixes == {ANYCAST}


def test_a_restarted_agent_keeps_what_is_there_and_adds_nothing_until_services_are_judged():
    host = Host()
    host.give(order(OWN, ANYCAST), stamp(1))
    host.attach(*adverts(OWN))
    assert host.prefixes == {OWN}
    host.look(*TERMINATE)
    assert host.prefixes == {OWN}
    assert host.desired.withheld == {ANYCAST: Why.UNJUDGED}
    host.judge("www", fit=True)
    assert host.prefixes == {OWN, ANYCAST}


def test_a_restarted_agent_withdraws_what_is_no_longer_ordered():
    host = Host()
    host.give(order(ANYCAST), stamp(1))
    host.attach(*adverts(OWN, ANYCAST))
    assert host.prefixes == {ANYCAST}


def test_a_restarted_exabgp_gets_everything_again():
    host = Host.healthy(OWN, ANYCAST)
    before = host.desired.advertisements
    assert host.tell(BgpSeen(attached=False)).advertisements == before
    assert host.attach().advertisements == before


def test_an_address_that_is_put_back_at_once_costs_no_withdrawal():
    host = Host.healthy(OWN)
    host.look(*set(TERMINATE) - {WWW_HERE})
    host.wait(PATIENCE / 2)
    assert host.prefixes == {OWN}
    host.look(*TERMINATE)
    host.wait(10)
    host.look(*set(TERMINATE) - {WWW_HERE})
    assert host.prefixes == {OWN}


def test_an_address_that_stays_away_takes_its_prefix_down():
    host = Host.healthy(OWN, ANYCAST)
    host.look(*set(TERMINATE) - {WWW_HERE})
    host.wait(PATIENCE + 0.1)
    assert host.prefixes == {ANYCAST}
    assert host.desired.withheld == {OWN: Why.ADDRESSES}


def test_a_new_address_under_a_standing_advertisement_causes_no_flap():
    host = Host.healthy(OWN, terminate=(WWW_HERE,))
    host.give(order(OWN, terminate=(WWW_HERE, VIDEO_HERE)), stamp(2))
    assert host.prefixes == {OWN}


def test_an_address_leaves_long_after_the_last_route_to_it():
    host = Host.healthy(OWN, COVER)
    hold = 3600
    host.give(order(OWN, COVER, terminate=(WWW_HERE,)), stamp(2))
    host.wait(2 * hold)
    assert WWW_FRA in host.desired.addresses, "its cover is still advertised"
    host.give(order(OWN, terminate=(WWW_HERE,)), stamp(3))
    host.obey()
    host.wait(hold - 1)
    assert WWW_FRA in host.desired.addresses
    host.wait(2)
    assert WWW_FRA not in host.desired.addresses
    assert WWW_HERE in host.desired.addresses


def test_as_long_as_a_withdrawal_is_not_sent_the_address_does_not_leave():
    host = Host.healthy(OWN, COVER)
    host.give(order(OWN, terminate=(WWW_HERE,)), stamp(2))
    wire = frozenset(adverts(OWN, COVER))
    host.tell(BgpSeen(attached=True, rib=frozenset(adverts(OWN)), wire=wire))
    host.wait(10_000)
    assert WWW_FRA in host.desired.addresses


def test_silence_of_the_broker_changes_nothing():
    host = Host.healthy(OWN, ANYCAST, lease=5.0)
    before = host.desired
    host.tell(BusChanged(connected=False))
    assert host.wait(100_000) == before


@pytest.mark.parametrize("forbidden", ["192.0.2.0/24", "198.18.0.0/25"])
def test_nothing_of_a_refused_order_is_applied(forbidden):
    host = Host.healthy(OWN)
    before = host.desired
    assert host.give(order(ANYCAST, forbidden), stamp(2)) == before


def test_what_the_allow_list_lost_is_withdrawn():
    host = Host.healthy(OWN, ANYCAST)
    only_anycast = msgspec.structs.replace(FACTS, allow=(Allowance(ANYCAST, 24),))
    now = desired(host.state, only_anycast, host.now)
    assert now.advertisements == frozenset(adverts(ANYCAST))
    assert now.withheld == {OWN: Why.FORBIDDEN}


def test_services_the_fleet_does_not_know_are_no_harm():
    host = Host.healthy(OWN)
    assert host.tell(ServiceChecked("mail", fit=False)).advertisements
