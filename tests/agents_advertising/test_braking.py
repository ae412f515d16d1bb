"""An operator's brake stands above orders, keepers and checks; only the allow-list above it."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.allowance import Allowance
from agents.advertising.desire import Why, desired
from agents.advertising.observations import BgpSeen, BrakePulled
from agents.advertising.state import begun
from agents.advertising.telling import report
from ambicast.contract.messages import Brake, BrakeKind
from tests.agents_advertising.hosts import (
    ANYCAST,
    FACTS,
    OWN,
    TERMINATE,
    VIDEO,
    Host,
    adverts,
    order,
    stamp,
    told,
)

HOLD = Brake(kind=BrakeKind.HOLD, reason="maintenance")
WITHDRAW = Brake(kind=BrakeKind.WITHDRAW, reason="bad disk")
RELEASED = BrakePulled(None)


def test_hold_keeps_what_is_there_whatever_is_ordered_or_fails():
    host = Host.healthy(OWN, ANYCAST)
    before = host.desired.advertisements
    host.tell(BrakePulled(HOLD))
    host.give(order(VIDEO), stamp(2))
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    assert host.desired.advertisements == before
    assert host.state.held.stamp == stamp(2), "the order is kept"
    host.judge("video", fit=True)
    host.wait(20)
    assert host.tell(RELEASED).advertisements == frozenset(adverts(VIDEO)), "and carried out then"


def test_hold_gives_the_same_to_an_exabgp_that_died():
    host = Host.healthy(OWN)
    before = host.desired.advertisements
    host.tell(BrakePulled(HOLD))
    host.tell(BgpSeen(attached=False))
    host.attach()
    assert host.desired.advertisements == before


def test_an_agent_that_starts_under_hold_adopts_what_exabgp_holds():
    host = Host()
    host.tell(BrakePulled(HOLD))
    host.give(order(OWN, ANYCAST), stamp(1))
    assert host.desired.advertisements is None
    host.attach(*adverts(VIDEO))
    assert host.desired.advertisements == frozenset(adverts(VIDEO))


def test_only_the_allow_list_stands_above_hold():
    host = Host.healthy(OWN, ANYCAST)
    host.tell(BrakePulled(HOLD))
    only_anycast = msgspec.structs.replace(FACTS, allow=(Allowance(ANYCAST, 24),))
    wanted = desired(host.state, only_anycast, host.now)
    assert wanted.advertisements == frozenset(adverts(ANYCAST))


def test_addresses_of_what_is_held_stay_terminated():
    host = Host.healthy(OWN, ANYCAST)
    host.tell(BrakePulled(HOLD))
    before = host.desired.addresses
    host.give(order(VIDEO, terminate=()), stamp(2))
    assert host.desired.addresses >= before


def test_withdraw_takes_everything_down_at_once_and_release_brings_it_back():
    host = Host.healthy(OWN, ANYCAST)
    assert host.tell(BrakePulled(WITHDRAW)).advertisements == frozenset()
    assert host.desired.withheld == {OWN: Why.BRAKED, ANYCAST: Why.BRAKED}
    host.obey()
    host.tell(RELEASED)
    assert host.prefixes == {OWN, ANYCAST}


def test_withdraw_works_without_an_order_and_before_exabgp_is_there():
    assert Host().tell(BrakePulled(WITHDRAW)).advertisements == frozenset()


def test_withdraw_hands_the_keepers_role_over_first():
    host = Host.healthy(OWN, ANYCAST, keepers={ANYCAST: "ams"})
    host.tell(BrakePulled(WITHDRAW))
    assert host.prefixes == {ANYCAST}
    words = host.state.words(FACTS)
    assert (words.fit, words.offers, words.keeps) == (set(), {ANYCAST}, set())
    host.hear(told("fra", host.now, "www", keeps=frozenset({ANYCAST})))
    assert host.prefixes == set()
    assert host.desired.withheld[ANYCAST] == Why.BRAKED


def test_withdraw_waits_two_seconds_for_a_taker_and_then_says_that_it_was_the_last():
    host = Host.healthy(ANYCAST, keepers={ANYCAST: "ams"})
    host.tell(BrakePulled(WITHDRAW))
    host.wait(1.9)
    assert host.prefixes == {ANYCAST}
    host.wait(0.2)
    assert host.prefixes == set()
    host.obey()
    host.wait(60)
    assert host.desired.withheld == {ANYCAST: Why.LAST}


def test_a_braked_host_takes_no_role_and_is_nobodys_reason_to_leave():
    host = Host.healthy(ANYCAST)
    host.tell(BrakePulled(WITHDRAW))
    host.hear(told("fra", host.now, offers=frozenset({ANYCAST})))
    assert host.state.keeping.taken == set()


def test_the_same_brake_again_starts_no_new_wait():
    host = Host.healthy(ANYCAST, keepers={ANYCAST: "ams"})
    for _ in range(5):
        host.tell(BrakePulled(WITHDRAW))
        host.wait(0.5)
    assert host.prefixes == set()


def test_the_brake_is_reported_as_it_was_given():
    host = Host.healthy(ANYCAST)
    host.tell(BrakePulled(HOLD))
    assert report(host.state, FACTS).brake == HOLD
    host.tell(BrakePulled(WITHDRAW))
    assert report(host.state, FACTS).brake == WITHDRAW
    host.tell(RELEASED)
    assert report(host.state, FACTS).brake is None


def rebooted(*ordered, frozen=None, brake=HOLD, addresses=TERMINATE):
    """An agent that begins under a brake, over an ExaBGP that knows nothing."""
    host = Host()
    host.state = begun(host.state, brake, frozen, FACTS, host.now)
    if ordered:
        host.give(order(*ordered), stamp(1))
    host.attach()
    host.look(*addresses)
    return host


def fit(host, *services):
    for name in services or ("www", "video"):
        host.judge(name, fit=True)


def test_what_was_held_before_a_boot_is_advertised_again():
    host = rebooted(OWN, ANYCAST, frozen=frozenset(adverts(VIDEO, through=("north",))))
    assert host.prefixes == set(), "nothing is added before its services are judged"
    assert host.desired.withheld[VIDEO] is Why.UNJUDGED
    fit(host)
    assert host.desired.advertisements == frozenset(adverts(VIDEO, through=("north",)))


def test_also_where_the_order_is_lost():
    host = rebooted(frozen=frozenset(adverts(OWN)))
    fit(host)
    assert host.prefixes == {OWN}


@pytest.mark.parametrize("ordered", [(OWN,), ()], ids=["order", "none"])
def test_but_nothing_that_leads_to_an_address_that_is_not_here(ordered):
    host = rebooted(*ordered, frozen=frozenset(adverts(OWN)), addresses=())
    fit(host)
    assert host.prefixes == set()


def test_where_nobody_knows_what_was_held_it_is_the_kept_order():
    host = rebooted(OWN, ANYCAST)
    fit(host)
    assert host.prefixes == {OWN, ANYCAST}
    host.give(order(VIDEO), stamp(2))
    assert host.prefixes == {OWN, ANYCAST}, "and from then on no other"


def test_nothing_held_is_held_too():
    host = rebooted(OWN, frozen=frozenset())
    fit(host)
    assert host.prefixes == set()


def test_a_dead_service_is_not_brought_back_while_somebody_else_is_fit():
    host = rebooted(OWN, ANYCAST, frozen=frozenset(adverts(OWN, ANYCAST)))
    host.hear(told("fra", host.now, "www", "video"))
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    assert host.prefixes == set()
    assert host.desired.withheld[OWN] is Why.UNFIT


def test_an_agent_that_restarts_under_hold_takes_nothing_down():
    host = Host()
    host.state = begun(host.state, HOLD, frozenset(adverts(OWN, ANYCAST)), FACTS, host.now)
    assert host.desired.advertisements is None, "not before it knows what is there"
    host.attach(*adverts(OWN, ANYCAST))
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    assert host.prefixes == {OWN, ANYCAST}


def test_withdraw_asks_nobody_what_was_held():
    host = rebooted(OWN, frozen=frozenset(adverts(OWN)), brake=WITHDRAW)
    fit(host)
    assert host.prefixes == set()


def test_hold_after_withdraw_holds_that_nothing_is_advertised():
    host = Host.healthy(OWN)
    host.tell(BrakePulled(WITHDRAW))
    host.obey()
    host.tell(BrakePulled(HOLD))
    assert host.desired.advertisements == frozenset()
    assert host.state.braking.frozen == frozenset()
