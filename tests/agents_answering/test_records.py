from __future__ import annotations

from agents.answering.flips import Flip, flip
from agents.answering.generation import Generation, parse, spell
from agents.answering.records import RRset, desired, steered
from ambicast.contract.codec import Stamp
from tests.agents_answering.worlds import AMS, ANYCAST, LHR, NAMES, fleet, steering

FLEET = fleet()
GENERATION = Generation(Stamp(7, 41), Stamp(7, 2))


def of(records, owner, kind):
    return records[(owner, kind)].data


def test_without_steering_everybody_gets_anycast():
    records = desired(FLEET, None, NAMES, Generation())
    for owner in ("*.www.g.cdn.example.", "default.www.g.cdn.example."):
        assert of(records, owner, "A") == (ANYCAST[0],)
        assert of(records, owner, "AAAA") == (ANYCAST[1],)


def test_a_group_gets_its_addresses_by_family_with_the_ttl_of_steering():
    records = desired(FLEET, steering(ttl=7.2, c1=AMS), NAMES, GENERATION)
    assert records["c1.www.g.cdn.example.", "A"] == RRset(
        "c1.www.g.cdn.example.", "A", 8, (AMS[0],)
    )
    assert of(records, "c1.www.g.cdn.example.", "AAAA") == (AMS[1],)


def test_a_family_without_address_has_no_records():
    records = desired(FLEET, steering(c1=AMS[:1]), NAMES, GENERATION)
    assert ("c1.www.g.cdn.example.", "AAAA") not in records


def test_what_steering_gives_to_default_is_the_answer_of_unknown_groups_too():
    records = desired(FLEET, steering(default=LHR), NAMES, GENERATION)
    assert of(records, "*.www.g.cdn.example.", "A") == (LHR[0],)


def test_addresses_are_written_as_the_server_prints_them():
    records = desired(FLEET, steering(c1=("2001:DB8:1000:0::A",)), NAMES, GENERATION)
    assert of(records, "c1.www.g.cdn.example.", "AAAA") == ("2001:db8:1000::a",)


def test_the_service_name_leads_to_the_default_group_where_the_geo_module_is_silent():
    records = desired(FLEET, None, NAMES, Generation())
    assert of(records, "www.cdn.example.", "CNAME") == ("default.www.g.cdn.example.",)


def test_the_zone_says_which_steering_and_map_it_holds():
    records = desired(FLEET, None, NAMES, GENERATION)
    text = of(records, "_generation.cdn.example.", "TXT")[0]
    assert text == '"steering=7.41 map=7.2"'
    assert parse(text) == GENERATION


def test_a_foreign_text_is_no_generation():
    assert parse("steering=7.41 map=") is None
    assert parse(spell(GENERATION) + "x") is None


def test_soa_nameservers_and_glue_are_not_ours_to_steer():
    ours = desired(FLEET, None, NAMES, GENERATION)
    head = RRset("cdn.example.", "SOA", 3600, ("...",))
    glue = RRset("ams.ns.cdn.example.", "A", 3600, ("127.0.0.1",))
    held = {**ours, (head.owner, "SOA"): head, (glue.owner, "A"): glue}
    assert steered(FLEET, held) == ours


def test_a_flip_replaces_changed_sets_only():
    before = desired(FLEET, steering(c1=AMS, c2=LHR), NAMES, GENERATION)
    after = desired(FLEET, steering(c1=LHR, c2=LHR), NAMES, GENERATION)
    change = flip(before, after)
    assert change.owners == {"c1.www.g.cdn.example."}
    assert {each.type for each in change.write} == {"A", "AAAA"}


def test_a_group_that_is_gone_is_removed_and_a_new_one_only_written():
    before = desired(FLEET, steering(c1=AMS[:1]), NAMES, GENERATION)
    after = desired(FLEET, steering(c2=AMS[:1]), NAMES, GENERATION)
    assert flip(before, after) == Flip(
        remove=(("c1.www.g.cdn.example.", "A"),),
        write=(RRset("c2.www.g.cdn.example.", "A", 20, AMS[:1]),),
    )


def test_nothing_to_do_is_nothing_done():
    records = desired(FLEET, steering(c1=AMS), NAMES, GENERATION)
    assert not flip(records, dict(records))


def test_applying_a_flip_leads_to_what_was_wanted():
    before = desired(FLEET, steering(c1=AMS, c3=LHR), NAMES, GENERATION)
    after = desired(FLEET, steering(c1=LHR[:1], c2=AMS), NAMES, Generation())
    change = flip(before, after)
    held = {key: each for key, each in before.items() if key not in change.remove}
    held |= {(each.owner, each.type): each for each in change.write}
    assert held == after
