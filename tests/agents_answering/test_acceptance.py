from __future__ import annotations

import pytest

from agents.answering.acceptance import Accepted, Forbidden, Held, Stale, judge
from ambicast.contract.codec import Stamp
from tests.agents_answering.worlds import AMS, LHR, client_map, fleet, steering

FLEET = fleet()
HELD = Held(Stamp(3, 7), steering(c1=AMS))


def test_a_newer_generation_is_followed():
    assert judge(steering(c1=LHR), Stamp(3, 8), HELD, FLEET) == Accepted()


def test_a_newer_epoch_is_followed_whatever_its_generation():
    assert judge(steering(c1=LHR), Stamp(4, 0), HELD, FLEET) == Accepted()


def test_an_older_message_is_stale_even_with_a_higher_generation():
    verdict = judge(steering(c1=LHR), Stamp(2, 900), HELD, FLEET)
    assert verdict == Stale("2.900 is older than 3.7, which is held")


def test_a_repetition_is_accepted_again():
    assert judge(steering(c1=AMS), Stamp(3, 7), HELD, FLEET) == Accepted()


def test_one_stamp_cannot_have_two_contents():
    assert isinstance(judge(steering(c1=LHR), Stamp(3, 7), HELD, FLEET), Stale)


def test_after_a_restart_the_held_stamp_is_accepted_with_any_content():
    assert judge(steering(c1=LHR), Stamp(3, 7), Held(Stamp(3, 7)), FLEET) == Accepted()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (steering(c1=("203.0.113.1",)), ("c1", "203.0.113.1", "allowed are 198.18.0.10")),
        (steering(c1=("nonsense",)), ("c1", "'nonsense' is not an address")),
        (steering(c1=()), ("c1", "no address", "at least one")),
        (steering(**{"a.b": AMS}), ("'a.b'", "DNS label")),
        (steering(**{"*": AMS}), ("'*'", "DNS label")),
        (steering(ttl=-1.0, c1=AMS), ("ttl -1.0", "0 to 604800")),
        (steering(ttl=float("nan"), c1=AMS), ("ttl nan",)),
        (client_map(c1=("10.0.0.0/33",)), ("c1", "10.0.0.0/33", "not a prefix")),
        (client_map(c1=("10.0.0.1/8",)), ("c1", "10.0.0.1/8", "host bits")),
        (client_map(c1=("255.255.255.255/32",)), ("c1", "kept for proving")),
        (client_map(c1=("::a00:0/112",)), ("c1", "write it as IPv4")),
        (client_map(c1=("10.0.0.0/8",), c2=("10.0.0.0/8",)), ("10.0.0.0/8", "'c1'", "'c2'")),
        (client_map({"www": ("www.other.example",)}), ("www.other.example", "outside the zone")),
        (client_map({"www": ("cdn.example",)}), ("'cdn.example'", "zone itself")),
        (client_map({"www": ("x.g.cdn.example",)}), ("x.g.cdn.example", "kept for steering")),
        (client_map({"www": ("-.cdn.example",)}), ("-.cdn.example", "a-z")),
        (client_map({"ftp": ("ftp.cdn.example",)}), ("'ftp'", "known are www")),
    ],
)
def test_what_this_fleet_does_not_have_is_refused_with_what_and_where(message, words):
    verdict = judge(message, Stamp(1, 1), Held(), FLEET)
    assert isinstance(verdict, Forbidden)
    for word in words:
        assert word in " ".join(verdict.offences)


def test_every_offence_is_named():
    verdict = judge(steering(c1=("203.0.113.1",), c2=()), Stamp(1, 1), Held(), FLEET)
    assert isinstance(verdict, Forbidden)
    assert len(verdict.offences) == 2


def test_one_name_cannot_lead_to_two_services():
    names = {"www": ("www.cdn.example", "WWW.cdn.example.")}
    assert judge(client_map(names), Stamp(1, 1), Held(), FLEET) != Accepted()


def test_another_zone_is_refused():
    other = client_map()
    other = type(other)(zone="other.example", names={}, groups={})
    assert isinstance(judge(other, Stamp(1, 1), Held(), FLEET), Forbidden)
