"""What the dead man's switch may do: never more than the agent would for an unfit service."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.guard import Guard, LocalCheck, guard
from agents.advertising.hearing import FRESH
from agents.advertising.observations import BrakePulled, LoadSeen, StoodStill, Told
from agents.advertising.state import HostState
from ambicast.contract.messages import Brake, BrakeKind, Sighting
from ambicast.model.identifiers import Family
from ambicast.model.services import Check, CheckKind
from tests.agents_advertising.hosts import (
    ANYCAST,
    COVER,
    FACTS,
    FLEET,
    OWN,
    SERVICES,
    VIDEO,
    WWW_EVERYWHERE,
    Host,
    watched,
)

HTTP = Check(CheckKind.HTTP, 80, path="/healthz", timeout=0.2)
replace = msgspec.structs.replace


def facts(*checks, name="www"):
    services = {each: replace(service, checks=(HTTP,)) for each, service in SERVICES.items()}
    services[name] = replace(SERVICES[name], checks=checks)
    return replace(FACTS, fleet=replace(FLEET, services=services))


def word(fit=("www", "video"), pop="fra", heard=1000.0, **fields):
    return Told(pop, f"{pop}-1", "i", frozenset(fit), heard=heard, **fields)


def seen(pop="fra", up=True):
    return (Sighting(pop=pop, uplink="north", family=Family.V4, up=up),)


def guarded(host, *words, known=None, reached=None):
    sees = watched(told={each.host: each for each in words})
    host.tell(replace(sees, seen=seen() if reached is None else reached))
    return guard(host.state, known or facts(HTTP), host.desired)


def prefixes(found: Guard):
    return {prefix for group in found.groups for prefix in group.prefixes}


@pytest.fixture
def host():
    return Host.healthy(OWN, ANYCAST, VIDEO)


def test_it_may_withdraw_what_another_pop_is_fit_for(host):
    found = guarded(host, word())
    assert found.after == FLEET.timing.deadman == 30
    assert prefixes(found) == {OWN, ANYCAST, VIDEO}


def test_each_prefix_waits_for_the_checks_of_every_service_behind_it(host):
    www, video = ("www.cdn.example", WWW_EVERYWHERE), ("v.cdn.example", "198.19.252.1")
    groups = {
        group.prefixes: [(check.name, check.address) for check in group.checks]
        for group in guarded(host, word()).groups
    }
    assert groups == {(OWN,): [video, www], (ANYCAST,): [www], (VIDEO,): [video]}


def test_a_check_is_told_as_the_agent_makes_it(host):
    (check,) = next(
        group.checks for group in guarded(host, word()).groups if group.prefixes == (ANYCAST,)
    )
    assert check == LocalCheck(
        kind="http", address=WWW_EVERYWHERE, port=80, path="/healthz", name="www.cdn.example",
        timeout=0.2,
    )  # fmt: skip


def test_without_the_address_on_this_host_it_is_the_loopback_that_is_checked(host):
    host.look()
    (check,) = next(
        group.checks for group in guarded(host, word()).groups if group.prefixes == (ANYCAST,)
    )
    assert check.address == "127.0.0.1"


@pytest.mark.parametrize(
    "words",
    [
        (),
        (word(pop="ams"),),
        (word(voice=False),),
        (word(switched=True),),
        (word(heard=1000.0 - FRESH - 0.1),),
        (word(fit=()),),
    ],
    ids=["nobody", "ourselves", "no voice", "switched", "long ago", "unfit"],
)
def test_it_may_withdraw_nothing_while_nobody_else_is_known_to_be_fit(host, words):
    assert guarded(host, *words).groups == ()


def test_nor_what_the_others_are_fit_for_only_in_part(host):
    assert prefixes(guarded(host, word(fit=("www",)))) == {ANYCAST}


def test_nor_on_the_word_of_a_pop_that_cannot_be_reached(host):
    assert guarded(host, word(), reached=seen(up=False)).groups == ()


def test_nor_what_stays_although_it_is_unfit(host):
    guarded(host, word())
    keeping = replace(host.state.keeping, open=frozenset({ANYCAST}))
    state = replace(host.state, keeping=keeping)
    assert prefixes(guard(state, facts(HTTP), host.desired)) == {OWN, VIDEO}


def test_nor_what_an_operator_holds(host):
    assert guarded(host, word()).groups
    host.tell(BrakePulled(Brake(kind=BrakeKind.HOLD, reason="works")))
    assert guarded(host, word()) == Guard(30, held=True)


@pytest.mark.parametrize("woke", [False, True], ids=["awake", "just woke"])
def test_nor_what_only_load_makes_fail(host, woke):
    host.tell(LoadSeen(cpu=0.99, burst=1.0))
    host.judge("www", fit=False)
    if woke:
        host.tell(StoodStill())
        host.judge("video", fit=True)
        host.judge("www", fit=False)
    assert prefixes(guarded(host, word())) == {VIDEO}


def test_never_a_prefix_whose_keeper_it_is():
    host = Host.healthy(OWN, ANYCAST, VIDEO, keepers={ANYCAST: "ams", VIDEO: "fra"})
    assert prefixes(guarded(host, word())) == {OWN, VIDEO}


def test_without_an_order_it_may_withdraw_nothing():
    host = Host()
    host.attach()
    assert guarded(host, word()).groups == ()
    assert guard(HostState(), FACTS, host.desired).groups == ()


@pytest.mark.parametrize(
    ("checks", "kind"),
    [((Check(CheckKind.HTTPS, 443),), "tcp"), ((Check(CheckKind.TCP, 9),), "tcp")],
    ids=str,
)
def test_tls_is_checked_as_a_listener(host, checks, kind):
    found = guarded(host, word(), known=facts(*checks))
    assert {c.kind for g in found.groups if g.prefixes == (ANYCAST,) for c in g.checks} == {kind}


@pytest.mark.parametrize("checks", [(), (Check(CheckKind.DNS, 53),)], ids=["none", "dns"])
def test_what_cannot_be_checked_so_simply_stays(host, checks):
    assert prefixes(guarded(host, word(), known=facts(*checks))) == {VIDEO}


def test_what_is_still_on_the_wire_counts_too(host):
    host.give(host.state.held.order, host.state.held.stamp)
    host.judge("www", fit=False)
    assert ANYCAST in prefixes(guarded(host, word()))
    assert COVER not in prefixes(guarded(host, word()))
