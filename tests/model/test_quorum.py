"""One PoP, one vote; who sees nobody has none; families apart."""

from __future__ import annotations

import pytest

from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family
from ambicast.model.quorum import Votes, count, opinion

V4, V6 = Family.V4, Family.V6


def path(pop, up, family=V4, uplink="north"):
    return Sighting(pop=pop, uplink=uplink, family=family, up=up)


def test_one_path_that_is_up_is_enough_to_have_seen_a_pop():
    seen = [path("fra", False), path("fra", True, uplink="south"), path("lhr", False)]
    assert opinion(seen, "ams") == {("fra", V4): True, ("lhr", V4): False}


def test_a_watcher_that_sees_nobody_has_no_voice():
    assert opinion([path("fra", False), path("lhr", False)], "ams") == {}


def test_what_is_seen_inside_the_own_pop_proves_nothing():
    seen = [path("ams", True), path("fra", False), path("lhr", False)]
    assert opinion(seen, "ams") == {}


def test_a_watcher_blind_in_one_family_keeps_its_voice_in_the_other():
    seen = [path("fra", True), path("fra", False, V6), path("lhr", False, V6)]
    assert opinion(seen, "ams") == {("fra", V4): True}


def test_families_are_counted_apart():
    seen = [path("fra", True), path("fra", False, V6), path("lhr", True), path("lhr", True, V6)]
    votes = count([("ams", opinion(seen, "ams")), ("nyc", opinion(seen, "nyc"))])
    assert votes[("fra", V4)] == Votes(there=frozenset({"ams", "nyc"}))
    assert votes[("fra", V6)] == Votes(gone=frozenset({"ams", "nyc"}))


def test_two_hosts_of_one_pop_have_one_vote_and_having_seen_wins():
    votes = count([("ams", {("fra", V4): False}), ("ams", {("fra", V4): True})])
    assert votes[("fra", V4)] == Votes(there=frozenset({"ams"}))


@pytest.mark.parametrize(
    ("gone", "there", "silent"),
    [("ab", "", True), ("a", "", False), ("ab", "c", True), ("ab", "cd", False)],
)
def test_gone_needs_the_quorum_and_a_majority(gone, there, silent):
    votes = Votes(frozenset(gone), frozenset(there))
    assert votes.silent(2) is silent
    assert votes.unanimous(2) is (silent and not there)
