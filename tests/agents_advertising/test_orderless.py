"""A host that lost its order goes by what is on the wire: it may give up, and adds nothing."""

from __future__ import annotations

import msgspec

from agents.advertising.allowance import Allowance
from agents.advertising.desire import Why, desired
from agents.advertising.guard import guard
from agents.advertising.observations import BgpSeen
from agents.advertising.telling import report
from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family
from tests.agents_advertising.hosts import (
    ANYCAST,
    COVER,
    FACTS,
    FLEET,
    OWN,
    SERVICES,
    TERMINATE,
    VIDEO,
    Host,
    adverts,
    order,
    stamp,
    told,
    watched,
)
from tests.agents_advertising.test_guard import HTTP, prefixes

WIRE = (*adverts(OWN), *adverts(ANYCAST))
CHECKED = msgspec.structs.replace(
    FACTS,
    fleet=msgspec.structs.replace(
        FLEET,
        services={
            name: msgspec.structs.replace(each, checks=(HTTP,)) for name, each in SERVICES.items()
        },
    ),
)


def orderless(*wire):
    """An agent that begins without an order over an ExaBGP that advertises."""
    host = Host()
    host.look(*TERMINATE)
    host.attach(*(wire or WIRE))
    host.judge("www", fit=True)
    host.judge("video", fit=True)
    host.hear(told("fra", host.now, "www", "video"), told("lhr", host.now, "www", "video"))
    return host


def fails(host, *services):
    for name in services:
        host.judge(name, fit=False)
    host.wait(0.5)
    host.hear(*(told(pop, host.now, "www", "video") for pop in ("fra", "lhr")))


def test_what_is_on_the_wire_stays_before_and_after_everything_is_judged():
    host = Host()
    assert host.desired.advertisements is None, "nothing is known: hands off"
    host.attach(*WIRE)
    assert host.desired.advertisements == frozenset(WIRE)
    assert orderless().desired.advertisements == frozenset(WIRE)


def test_what_is_unfit_is_withdrawn_where_somebody_else_is_fit():
    host = orderless()
    fails(host, "www", "video")
    assert OWN not in host.prefixes
    assert host.desired.withheld[OWN] is Why.UNFIT


def test_what_is_unfit_stays_where_nobody_else_is_known_to_be_fit():
    host = orderless()
    host.hear()
    host.judge("www", fit=False)
    host.judge("video", fit=False)
    host.wait(1)
    assert host.prefixes == {OWN, ANYCAST}


def test_it_may_be_the_keeper_of_whatever_is_shared_so_it_offers_before_it_leaves():
    host = orderless(*WIRE, *adverts(COVER))
    fails(host, "www", "video")
    assert host.prefixes == {ANYCAST, COVER}
    assert host.state.words(FACTS).offers == {ANYCAST, COVER}
    keeps = frozenset({ANYCAST})
    host.hear(told("fra", host.now, "www", "video", keeps=keeps))
    assert host.prefixes == {COVER}


def test_it_promises_to_keep_nothing_but_what_it_took():
    host = orderless()
    assert host.state.words(FACTS).keeps == set()
    host.hear(told("fra", host.now, "video", offers=frozenset({ANYCAST})))
    assert host.state.words(FACTS).keeps == {ANYCAST}


def test_what_it_gave_up_comes_back_when_it_is_fit_again():
    host = orderless()
    fails(host, "www", "video")
    host.attach(*adverts(ANYCAST))
    host.judge("www", fit=True)
    host.judge("video", fit=True)
    host.wait(FLEET.timing.settle_down + 1)
    assert host.desired.advertisements == frozenset(WIRE)


def test_an_exabgp_that_dies_is_given_the_same_again():
    host = orderless()
    host.tell(BgpSeen(attached=False))
    host.attach()
    assert host.desired.advertisements == frozenset(WIRE)


def test_but_not_what_is_not_terminated_here():
    host = orderless()
    host.attach()
    host.look()
    assert host.prefixes == set()


def test_addresses_are_left_as_they_are():
    assert orderless().desired.addresses is None


def test_only_what_the_allow_list_has():
    narrow = msgspec.structs.replace(FACTS, allow=(Allowance(ANYCAST, 24),))
    host = orderless()
    assert {e.prefix for e in desired(host.state, narrow, host.now).advertisements} == {ANYCAST}


def test_the_dead_mans_switch_stays_armed_for_what_is_advertised():
    host = orderless()
    path = (Sighting(pop="fra", uplink="north", family=Family.V4, up=True),)

    def heard(**fields):
        words = {"fra-1": told("fra", host.now, "www", "video", **fields)}
        host.tell(msgspec.structs.replace(watched(told=words), seen=path))
        return prefixes(guard(host.state, CHECKED, host.desired))

    assert heard() == {OWN}, "nobody is known to keep what is shared"
    assert heard(keeps=frozenset({ANYCAST})) == {OWN, ANYCAST}


def test_it_says_that_it_holds_no_order():
    told_to_controller = report(orderless().state, FACTS)
    assert (told_to_controller.order_epoch, told_to_controller.order_generation) == (0, 0)


def test_an_order_rules_from_its_arrival_on():
    host = orderless()
    host.give(order(VIDEO), stamp(5))
    host.obey()
    assert host.prefixes == {VIDEO}
