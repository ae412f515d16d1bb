"""Deeds as advertisements, and how many of them fit."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.additions import NO_EXPORT, additions
from agents.advertising.deeds import joined
from agents.advertising.splits import deeper
from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.identifiers import Family, Role
from ambicast.model.prefixes import split
from ambicast.model.routes import Advertisement, Attributes
from tests.agents_advertising.hosts import AMS, ANYCAST, OWN, adverts

LHR = "198.18.4.0/22"
WAYS = frozenset((name, kind) for name in ("north", "south") for kind in Family)


def cover(*prefixes):
    return Deed(kind=DeedKind.COVER, about="lhr", prefixes=prefixes)


def part(*prefixes, about="north"):
    return Deed(kind=DeedKind.SPLIT, about=about, prefixes=prefixes)


def pop(most=20, **fields):
    uplinks = {
        name: msgspec.structs.replace(each, max_prefixes=most)
        for name, each in AMS.uplinks.items()
    }
    return msgspec.structs.replace(AMS, uplinks=uplinks, **fields)


def prefixes(found):
    return [each.prefix for each in found.advertisements if each.uplink == "north"]


def test_without_deeds_there_is_nothing_to_add():
    assert additions((), adverts(OWN), (), WAYS, AMS).advertisements == ()


def test_what_is_ordered_is_not_added():
    found = additions([cover(OWN)], adverts(OWN, through=("north",)), (), WAYS, AMS)
    assert found.advertisements == adverts(OWN, through=("south",))


def test_what_is_new_goes_through_uplinks_that_work():
    found = additions([cover(LHR)], (), (), {("south", Family.V4)}, AMS)
    assert found.advertisements == adverts(LHR, through=("south",))


def test_what_an_uplink_carries_stays_on_it():
    found = additions([cover(LHR)], (), adverts(LHR), (), AMS)
    assert found.advertisements == adverts(LHR)


def test_own_prefixes_come_before_others_and_short_before_long():
    deeds = [cover(LHR, *split(LHR, 1)), part(*split(OWN, 2), *split(OWN, 1))]
    found = additions(deeds, adverts(ANYCAST), (), WAYS, pop(8))
    assert prefixes(found) == [*split(OWN, 1), *split(OWN, 2), LHR]
    assert found.no_room == set(split(LHR, 1))


def test_orders_are_never_cut():
    ordered = adverts(*split(OWN, 2))
    found = additions([cover(LHR)], ordered, (), WAYS, pop(4))
    assert found.advertisements == ()
    assert found.no_room == {LHR}


def test_what_an_uplink_carries_keeps_its_room():
    """Who took a loaded more-specific back would make its clients loop."""
    deeds = [cover(LHR), part(*split(OWN, 1))]
    found = additions(deeds, adverts(OWN), adverts(OWN, LHR), WAYS, pop(3))
    assert prefixes(found) == [LHR, split(OWN, 1)[0]]
    assert found.no_room == {split(OWN, 1)[1]}


def test_an_order_takes_the_room_of_the_most_specific_that_others_own():
    deeds = [cover(LHR, *split(LHR, 1)), part(*split(OWN, 1))]
    held = adverts(ANYCAST, LHR, *split(LHR, 1), *split(OWN, 1))
    found = additions(deeds, adverts(ANYCAST, OWN), held, WAYS, pop(5))
    assert prefixes(found) == [*split(OWN, 1), LHR]


def test_families_have_room_of_their_own():
    found = additions([cover("2001:db8:1004::/46")], adverts(OWN), (), WAYS, pop(1))
    assert prefixes(found) == ["2001:db8:1004::/46"]


def test_the_cut_is_the_same_whatever_the_order_of_the_deeds():
    deeds = [cover(LHR, *split(LHR, 1)), part(*split(OWN, 1))]
    there, back = (additions(each, (), (), WAYS, pop(3)) for each in (deeds, deeds[::-1]))
    assert set(there.advertisements) == set(back.advertisements)


def test_what_is_for_the_router_alone_says_so_and_keeps_the_rest():
    beside = pop(hosts={"ams-1": (Role.BGP,), "ams-2": (Role.BGP,)})
    like = Attributes(prepend=1, communities=("64500:1",))
    whole = [Advertisement(OWN, "north", like)]
    found = additions([part(*split(OWN, 1), about="ams-2")], whole, (), WAYS, beside)
    (first, *_) = (each for each in found.advertisements if each.uplink == "north")
    assert first.attributes == Attributes(prepend=1, communities=("64500:1", NO_EXPORT))


def test_where_both_want_a_part_it_is_for_everybody():
    beside = pop(hosts={"ams-1": (Role.BGP,), "ams-2": (Role.BGP,)})
    deeds = [part(*split(OWN, 1), about="ams-2"), part(*split(OWN, 1))]
    found = additions(deeds, adverts(OWN), (), WAYS, beside)
    assert all(each.attributes == Attributes() for each in found.advertisements)


QUARTERS = split(OWN, 2)


@pytest.mark.parametrize(
    ("had", "present", "added"),
    [
        ([OWN], [], split(OWN, 1)),
        ([OWN], split(OWN, 1)[:1], split(OWN, 1)[1:]),
        ([OWN], split(OWN, 1), ()),
        ([OWN], QUARTERS, ()),
        ([OWN], QUARTERS[:3], split(OWN, 1)),
        ([OWN, split(OWN, 1)[0]], split(OWN, 1), QUARTERS),
        ([OWN, QUARTERS[0]], [], ()),
        ([ANYCAST], [], ()),
        ([], [], ()),
    ],
)
def test_the_rung_beats_what_the_silent_side_had_unless_it_is_beaten(had, present, added):
    assert deeper(had, [OWN], present) == set(added)


def test_a_deed_grows_and_stays_one():
    (one,) = joined([cover(LHR)], [cover(LHR, "2001:db8:1004::/46")])
    assert one == cover(LHR, "2001:db8:1004::/46")
