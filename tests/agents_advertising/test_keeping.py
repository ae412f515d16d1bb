"""One host that is unfit: when it leaves, when it stays, and what it says meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.desire import Why
from agents.advertising.handover import Words
from agents.advertising.observations import BgpSeen, ServiceChecked
from ambicast.contract.messages import Sighting
from tests.agents_advertising.hosts import (
    ANYCAST,
    FACTS,
    OWN,
    VIDEO,
    Host,
    adverts,
    order,
    stamp,
    told,
    watched,
)

KEPT = {"keepers": {ANYCAST: "ams"}}


def words(host: Host) -> Words:
    return host.state.words(FACTS)


def test_before_the_watch_has_spoken_nobody_is_known_to_be_fit():
    host = Host.healthy(ANYCAST)
    host.state = msgspec.structs.replace(host.state, watched=None)
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}
    assert host.state.keeping.open == {ANYCAST}


@pytest.mark.parametrize(
    "word",
    [
        told("fra", 1000.0, "video"),
        told("fra", 1000.0, "www", voice=False),
        told("fra", 998.9, "www"),
        told("ams", 1000.0, "www", host="ams-1"),
    ],
    ids=["another service", "agent silent", "too old", "myself"],
)
def test_who_does_not_count_as_fit_is_no_reason_to_leave(word):
    host = Host.healthy(ANYCAST)
    host.hear(word)
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}
    host.hear(told("fra", host.now, "www"))
    assert host.prefixes == set(), "as soon as somebody is, it leaves"


def test_a_host_beside_this_one_is_a_reason_to_leave():
    host = Host.healthy(ANYCAST)
    silent = [told(pop, host.now, "www", voice=False) for pop in ("fra", "lhr")]
    host.hear(told("ams", host.now, "www", host="ams-2"), *silent)
    host.judge("www", fit=False)
    assert host.prefixes == set()


def test_a_pop_that_cannot_be_reached_is_no_reason_to_leave():
    host = Host.healthy(ANYCAST)
    word = told("fra", host.now, "www")
    down = Sighting(pop="fra", host="fra-1", uplink="north", family="v4", up=False)
    elsewhere = Sighting(pop="lhr", host="lhr-1", uplink="north", family="v4", up=True)
    silent = watched(told={"fra-1": word})
    host.tell(msgspec.structs.replace(silent, seen=(down, elsewhere)))
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}
    up = msgspec.structs.replace(down, up=True, uplink="south")
    host.tell(msgspec.structs.replace(silent, seen=(down, elsewhere, up)))
    assert host.prefixes == set()


def test_words_of_a_watch_that_stands_still_count_for_nothing():
    host = Host.healthy(ANYCAST)
    host.wait(1.5)
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}


def test_a_doubted_service_is_advertised_but_not_recommended():
    host = Host.healthy(ANYCAST)
    assert "www" in words(host).fit
    host.tell(ServiceChecked("www", fit=True, doubt=True))
    assert host.prefixes == {ANYCAST}
    assert words(host).fit == {"video"}
    host.tell(ServiceChecked("www", fit=True))
    assert "www" in words(host).fit


def test_a_keeper_offers_at_the_first_doubt_and_leaves_when_somebody_fit_keeps():
    host = Host.healthy(ANYCAST, VIDEO, **KEPT)
    assert words(host) == Words(frozenset({"www", "video"}), frozenset(), frozenset({ANYCAST}))
    host.tell(ServiceChecked("www", fit=True, doubt=True))
    assert (words(host).offers, words(host).keeps) == ({ANYCAST}, set())
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST, VIDEO}
    keeper = told("fra", host.now, "video", keeps=frozenset({ANYCAST}))
    host.hear(keeper, told("lhr", host.now, "www"))
    assert host.prefixes == {ANYCAST, VIDEO}, "whoever keeps it must be fit for it"
    host.hear(told("fra", host.now, "www", keeps=frozenset({ANYCAST})))
    assert host.prefixes == {VIDEO}
    assert words(host).offers == set()
    host.hear(told("fra", host.now, "www"))
    assert host.prefixes == {VIDEO}, "what was handed over is gone"


def test_a_role_is_taken_once_and_lasts_until_an_order_names_keepers_anew():
    host = Host.healthy(ANYCAST, OWN)
    host.hear(told("fra", host.now, offers=frozenset({ANYCAST, VIDEO})))
    assert host.state.keeping.taken == {ANYCAST}, "VIDEO is not on its wire"
    assert words(host).keeps == {ANYCAST}
    host.hear(told("fra", host.now, "www"))
    assert words(host).keeps == {ANYCAST}
    host.give(order(ANYCAST, OWN), stamp(1))
    assert words(host).keeps == {ANYCAST}, "the same order again says nothing new"
    host.give(order(ANYCAST, OWN, "192.0.2.0/24"), stamp(2))
    assert words(host).keeps == {ANYCAST}, "a refused order says nothing"
    host.give(order(ANYCAST, OWN), stamp(3))
    assert words(host).keeps == set()


@pytest.mark.parametrize(
    "trouble",
    [
        ServiceChecked("www", fit=True, doubt=True),
        ServiceChecked("www", fit=False),
        BgpSeen(attached=True, rib=frozenset(adverts(ANYCAST)), wire=frozenset()),
    ],
    ids=["doubt", "unfit", "not on the wire"],
)
def test_who_cannot_keep_a_prefix_takes_no_role(trouble):
    host = Host.healthy(ANYCAST)
    host.tell(trouble)
    host.hear(told("fra", host.now, "www", offers=frozenset({ANYCAST})))
    assert host.state.keeping.taken == set()


def test_an_offer_of_a_host_whose_agent_is_silent_is_not_taken():
    host = Host.healthy(ANYCAST)
    host.hear(told("fra", host.now, offers=frozenset({ANYCAST}), voice=False))
    assert host.state.keeping.taken == set()


def test_three_losses_within_ten_seconds_are_not_believed_and_two_are():
    for others, stays in ((1, False), (2, True)):
        host = Host.healthy(ANYCAST)
        host.wait(0.5)
        fit = [told("lhr", host.now, "www")] if others == 1 else [told("nrt", host.now, "www")]
        host.hear(*fit, *(told(pop, host.now) for pop in ("fra", "lhr")[:others]))
        host.judge("www", fit=False)
        assert (host.prefixes == {ANYCAST}) is stays
        assert (ANYCAST in host.state.keeping.distrusted) is stays


def test_pops_that_vanish_count_as_lost_and_those_whose_agents_fall_silent_do_not():
    for word, stays in (({}, True), ({"voice": False}, False)):
        host = Host.healthy(ANYCAST)
        nrt = told("nrt", host.now, "www")
        host.hear(nrt, *(told(pop, host.now, "www") for pop in ("fra", "lhr")))
        quiet = [told(pop, host.now, **word) for pop in ("fra", "lhr")] if word else []
        host.hear(nrt, *quiet)
        host.judge("www", fit=False)
        assert (host.prefixes == {ANYCAST}) is stays


def test_old_losses_are_no_reason_for_distrust():
    host = Host.healthy(ANYCAST)
    host.hear(told("nrt", host.now, "www"), told("fra", host.now), told("lhr", host.now))
    host.wait(11)
    host.hear(told("nrt", host.now, "www"), told("fra", host.now), told("lhr", host.now))
    host.judge("www", fit=False)
    assert host.prefixes == set()


def test_distrust_lasts_until_enough_are_well_again():
    host = Host.healthy(ANYCAST)
    nobody = [told("fra", host.now), told("lhr", host.now)]
    host.hear(told("nrt", host.now, "www"), *nobody)
    host.judge("www", fit=False)
    for _ in range(60):
        host.now += 0.5
        host.hear(told("nrt", host.now, "www"), told("fra", host.now), told("lhr", host.now))
        assert host.prefixes == {ANYCAST}
    began = host.now
    while host.prefixes:
        host.now += 0.1
        host.hear(*few(host.now))
    assert 2.0 < host.now - began < 2.3, "and a little longer: others recover too"


def few(now):
    return told("nrt", now, "www"), told("fra", now, "www"), told("lhr", now)


@pytest.mark.parametrize("lasted", [0.5, 1.0, 5.0])
def test_of_those_that_failed_together_the_first_to_recover_sends_nobody_away(lasted):
    host = Host.healthy(ANYCAST)
    host.hear(told("nrt", host.now), told("fra", host.now), told("lhr", host.now))
    host.judge("www", fit=False)
    host.now += lasted
    for _ in range(4):
        host.now += 0.1
        host.hear(*few(host.now))
        assert host.prefixes == {ANYCAST}
    host.judge("www", fit=True)
    assert host.prefixes == {ANYCAST}
    host.now += 5.0
    host.hear(*few(host.now))
    host.judge("www", fit=False)
    host.now += 0.1
    host.hear(*few(host.now))
    assert host.prefixes == set(), "a failure of its own afterwards is its own"


def test_an_unfit_host_that_restarts_adds_nothing_it_had_withdrawn():
    host = Host()
    host.give(order(ANYCAST), stamp(1))
    host.attach()
    host.look()
    host.look(*host.desired.addresses)
    host.judge("www", fit=False)
    host.wait(60)
    assert host.prefixes == set()
    assert host.desired.withheld == {ANYCAST: Why.UNFIT}


def test_what_is_kept_unfit_is_given_again_to_an_exabgp_that_died():
    host = Host.healthy(ANYCAST)
    host.hear()
    host.judge("www", fit=False)
    host.tell(BgpSeen(attached=False))
    host.attach()
    assert host.prefixes == {ANYCAST}


def restarted(*advertised: str, **fields: object) -> Host:
    """A run that begins with a kept order that names it the keeper, and an unfit service."""
    host = Host()
    host.give(order(ANYCAST, VIDEO, **{**KEPT, **fields}), stamp(1))
    host.look()
    host.look(*host.desired.addresses)
    host.attach(*adverts(*advertised))
    host.judge("video", fit=True)
    host.judge("www", fit=False)
    return host


def live(host: Host, seconds: float, *words: str, **fields: object) -> set[str]:
    """What is on the wire at any time while these words are heard."""
    found = set(host.prefixes)
    for _ in range(round(seconds / 0.25)):
        host.now += 0.25
        host.hear(*(told(pop, host.now, "www", "video", **fields) for pop in words))
        host.obey()
        found |= host.prefixes
    return found


def test_a_keeper_that_handed_over_and_restarts_does_not_come_back_for_a_moment():
    host = restarted(VIDEO)
    assert live(host, 0.75) == {VIDEO}, "its watch has not begun"
    assert live(host, 0.5, "lhr") == {VIDEO}, "who took the role is not heard yet"
    assert live(host, 60, "fra", keeps=frozenset({ANYCAST})) == {VIDEO}


def test_a_keeper_whose_watch_begins_late_waits_for_those_it_does_not_hear_yet():
    host = restarted(VIDEO)
    assert live(host, 5) == {VIDEO}
    assert live(host, 1.5, "lhr") == {VIDEO}
    assert live(host, 60, "fra", keeps=frozenset({ANYCAST})) == {VIDEO}


def test_meanwhile_it_offers_its_role_to_those_who_have_the_prefix_on_the_wire():
    host = restarted(VIDEO)
    live(host, 0.5, "fra")
    assert words(host).offers == {ANYCAST}
    live(host, 0.5, "fra", keeps=frozenset({ANYCAST}))
    assert words(host).offers == set()


@pytest.mark.parametrize(("others", "after"), [((), 10.0), (("fra",), 2.0)])
def test_a_role_that_nobody_is_heard_to_keep_is_taken_up_unfit(others, after):
    host = restarted(VIDEO)
    host.hear(*(told(pop, host.now, "www", "video") for pop in others))
    assert live(host, after - 0.25, *others) == {VIDEO}
    assert live(host, 0.5, *others) == {ANYCAST, VIDEO}
    assert words(host).offers == {ANYCAST}


def test_a_keeper_that_restarts_keeps_what_it_finds_on_the_wire():
    host = restarted(ANYCAST, VIDEO)
    for _ in range(80):
        live(host, 0.25, "fra")
        assert host.prefixes == {ANYCAST, VIDEO}
    live(host, 0.25, "fra", keeps=frozenset({ANYCAST}))
    assert host.prefixes == {VIDEO}


def test_an_exabgp_that_dies_just_before_the_verdict_gets_the_keepers_prefix_again():
    host = Host.healthy(ANYCAST, **KEPT)
    host.tell(BgpSeen(attached=False))
    host.tell(BgpSeen(attached=True))
    host.judge("www", fit=False)
    assert host.prefixes == {ANYCAST}
