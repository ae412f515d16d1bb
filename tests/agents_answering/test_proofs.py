from __future__ import annotations

from agents.answering.generation import Generation
from agents.answering.proofs import (
    MOST_GROUPS,
    Answer,
    Proof,
    Prover,
    Question,
    proof_of_map,
    spread,
)
from agents.answering.records import desired
from agents.answering.sentinel import parse_sentinel, sentinel_group
from agents.nameserver.maps import draw
from ambicast.contract.codec import Stamp
from tests.agents_answering.worlds import (
    AMS,
    ANYCAST,
    C1,
    C1_V6,
    LHR,
    NAMES,
    ZONE,
    client_map,
    fleet,
    steering,
)

STAMP = Stamp(7, 2)
C1_OWNER = "c1.www.g.cdn.example."


def prover(message, the_map=None, *, drawn=True):
    records = desired(fleet(), message, NAMES, Generation())
    atlas = draw(the_map or client_map(), STAMP) if drawn else None
    return Prover(ZONE, NAMES, records, atlas, 20)


def by_question(proofs):
    return {proof.question: proof.expected for proof in proofs}


def test_a_changed_group_is_asked_for_with_a_prefix_of_each_family_and_for_each_type():
    found = by_question(prover(steering(c1=AMS)).proofs(frozenset({C1_OWNER})))
    for subnet, scope in ((C1, 24), (C1_V6, 48)):
        for kind, data in (("A", AMS[:1]), ("AAAA", AMS[1:])):
            assert found[Question("www.cdn.example.", kind, subnet)] == Answer(
                alias=C1_OWNER, data=data, ttl=20, scope=scope
            )


def test_everybody_else_is_always_asked_for():
    found = by_question(prover(steering(c1=AMS)).proofs(frozenset()))
    assert {answer.alias for answer in found.values()} == {"default.www.g.cdn.example."}
    assert {answer.data for answer in found.values()} == {ANYCAST[:1], ANYCAST[1:]}


def test_a_group_without_records_is_expected_to_get_the_default():
    found = by_question(prover(steering(c1=AMS)).proofs(frozenset({"c2.www.g.cdn.example."})))
    expected = Answer(alias="c2.www.g.cdn.example.", data=ANYCAST[:1], ttl=20, scope=24)
    assert found[Question("www.cdn.example.", "A", "198.19.2.0/24")] == expected


def test_a_missing_family_is_expected_to_be_missing():
    found = by_question(prover(steering(c1=AMS[:1])).proofs(frozenset({C1_OWNER})))
    assert found[Question("www.cdn.example.", "AAAA", C1)].data == ()


def test_a_sample_that_begins_with_somebody_elses_clients_is_not_taken():
    nested = client_map(c1=("198.19.0.0/16", "198.20.0.0/16"), c2=("198.19.0.0/24",))
    found = by_question(prover(steering(c1=AMS, c2=LHR), nested).proofs(frozenset({C1_OWNER})))
    assert Question("www.cdn.example.", "A", "198.20.0.0/16") in found
    assert Question("www.cdn.example.", "A", "198.19.0.0/16") not in found


def test_without_a_map_the_group_itself_is_asked_for():
    found = list(prover(steering(c1=AMS), drawn=False).proofs(frozenset({C1_OWNER})))
    assert Proof(Question(C1_OWNER, "A"), Answer(data=AMS[:1], ttl=20)) in found


def test_a_shorter_ttl_of_the_addresses_is_expected():
    found = by_question(prover(steering(ttl=5.0, c1=AMS)).proofs(frozenset({C1_OWNER})))
    assert found[Question("www.cdn.example.", "A", C1)].ttl == 5


def test_of_very_many_groups_a_spread_is_asked_for():
    groups = [f"g{number}" for number in range(1000)]
    taken = spread(groups, MOST_GROUPS)
    assert MOST_GROUPS / 2 < len(taken) <= MOST_GROUPS
    assert taken[0] == "g0"
    assert spread(groups[:3], MOST_GROUPS) == groups[:3]


def test_the_sentinel_names_the_map():
    proof = proof_of_map(ZONE, STAMP, 20)
    assert proof.question == Question("_map.cdn.example.", "TXT", "255.255.255.255/32")
    assert proof.expected == Answer(data=('"map=7.2"',), ttl=20, scope=32)
    assert parse_sentinel(proof.expected.data[0]) == STAMP
    assert parse_sentinel("map=") is None
    assert parse_sentinel('"something"') is None
    assert sentinel_group(STAMP) == "map=7.2"
