"""What a host tells of itself."""

from __future__ import annotations

from agents.advertising.accept import Accepted, Ambiguous, Distrusted, Forbidden, Held, StaleOrder
from agents.advertising.observations import Told, Watched
from agents.advertising.state import HostState
from agents.advertising.telling import receipt, report, sightings
from ambicast.contract.messages import Outcome, Said
from tests.agents_advertising.hosts import (
    ANYCAST,
    FACTS,
    OWN,
    TERMINATE,
    Host,
    adverts,
    order,
    stamp,
    watched,
)


def test_a_host_that_knows_nothing_says_so():
    told = report(HostState(), FACTS)
    assert (told.wire, told.terminated, told.uplinks, told.order_epoch) == ((), (), (), 0)
    assert sightings(HostState(), FACTS) is None


def test_a_report_is_the_whole_state_in_a_fixed_order():
    host = Host.healthy(OWN, ANYCAST)
    told = report(host.state, FACTS)
    assert told.wire == adverts(OWN, ANYCAST)
    assert set(TERMINATE) < set(told.terminated)
    assert [each.service for each in told.services] == ["video", "www"]
    assert (told.order_epoch, told.order_generation) == (1, 1)


def test_instants_are_told_in_seconds_since_1970():
    host = Host.healthy()
    assert report(host.state, FACTS).services[0].since == host.now + FACTS.unix


def test_nothing_in_a_report_changes_while_nothing_happens():
    host = Host.healthy(OWN)
    before = report(host.state, FACTS)
    host.wait(3600)
    host.tell(watched())
    host.judge("www", fit=True)
    assert report(host.state, FACTS) == before


def test_a_receipt_carries_the_stamp_of_the_order_it_answers_and_the_wire():
    host = Host.healthy(OWN)
    wire = adverts(OWN)
    held = Held(stamp(7), order())
    for verdict, outcome, word in [
        (Accepted(held), Outcome.ACCEPTED, None),
        (StaleOrder(stamp(7), stamp(9)), Outcome.REFUSED, "generation 9, which is held"),
        (Ambiguous(stamp(7)), Outcome.REFUSED, "another content"),
        (Distrusted(stamp(7)), Outcome.REFUSED, "crashed"),
        (Forbidden(stamp(7), ("no", "never")), Outcome.REFUSED, "never"),
    ]:
        by, body = receipt(verdict, host.state)
        assert (by, body.outcome, body.wire) == (stamp(7), outcome, wire)
        assert word is None or word in body.refusals[-1]


def test_what_other_hosts_said_of_themselves_reaches_the_controller():
    words = {
        "lhr-1": Told("lhr", "lhr-1", "i", fit=frozenset({"www", "video"})),
        "fra-1": Told("fra", "fra-1", "i", voice=False, switched=True),
    }
    seen = Watched(seen=(), witnesses={}, working={}, told=words)
    told = sightings(HostState(watched=seen), FACTS)
    assert told.said == (
        Said(pop="fra", host="fra-1", voice=False, switched=True),
        Said(pop="lhr", host="lhr-1", fit=("video", "www")),
    )
