"""Which orders are accepted, and what a refusal says."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.accept import Accepted, Ambiguous, Forbidden, Held, StaleOrder, accept
from ambicast.contract.messages import Contingency, Order
from ambicast.model.routes import Advertisement, Attributes
from tests.agents_advertising.hosts import ALLOW, AMS, ANYCAST, OWN, adverts, order, stamp


def judge(body, by=None, held=None):
    return accept(body, by or stamp(5), held, ALLOW, AMS)


def refusals(**fields):
    verdict = judge(Order(**{"advertisements": (), "terminate": (), **fields}))
    assert isinstance(verdict, Forbidden)
    return verdict.refusals


def test_a_good_order_is_held_from_now_on():
    assert judge(order(OWN, ANYCAST)) == Accepted(Held(stamp(5), order(OWN, ANYCAST)))


def test_an_older_order_is_stale():
    held = Held(stamp(5), order(OWN))
    assert judge(order(), stamp(4), held) == StaleOrder(stamp(4), stamp(5))
    assert judge(order(), stamp(99, epoch=0), held) == StaleOrder(stamp(99, epoch=0), stamp(5))


def test_a_newer_epoch_wins_whatever_its_generation():
    held = Held(stamp(500), order(OWN))
    assert isinstance(judge(order(), stamp(1, epoch=2), held), Accepted)


def test_the_same_order_again_is_accepted_again():
    held = Held(stamp(5), order(OWN))
    assert judge(order(OWN), stamp(5), held) == Accepted(held, repeated=True)


def test_the_same_stamp_on_another_order_is_refused():
    held = Held(stamp(5), order(OWN))
    assert judge(order(ANYCAST), stamp(5), held) == Ambiguous(stamp(5))


def test_every_prefix_outside_the_allow_list_is_named_with_what_is_allowed():
    first, second = refusals(advertisements=adverts("203.0.113.0/24", OWN, "192.0.2.0/24")[::2])[
        :2
    ]
    assert first.startswith("203.0.113.0/24 through north: not in the allow-list")
    assert second.startswith("192.0.2.0/24 through north: not in the allow-list")
    assert "198.18.0.0/15 up to /24" in first


@pytest.mark.parametrize("prefix", ["198.18.0.0/25", "2001:db8::/49", "198.0.0.0/8", "0.0.0.0/0"])
def test_a_prefix_too_long_or_too_short_is_not_in_the_allow_list(prefix):
    (text,) = refusals(advertisements=adverts(prefix, through=("north",)))
    assert "not in the allow-list" in text


def test_an_unknown_uplink_is_refused_with_those_there_are():
    (text,) = refusals(advertisements=adverts(OWN, through=("east",)))
    assert text == f"{OWN} through east: no such uplink; ams has north, south"


def test_a_family_the_uplink_does_not_speak_is_refused():
    north = AMS.uplinks["north"]
    v4_only = msgspec.structs.replace(north, neighbor={"v4": north.neighbor["v4"]})
    pop = msgspec.structs.replace(AMS, uplinks={"north": v4_only})
    body = Order(advertisements=adverts("2001:db8::/32", through=("north",)), terminate=())
    assert accept(body, stamp(1), None, ALLOW, pop).refusals == (
        "2001:db8::/32 through north: v6 is not spoken there; v4 is",
    )


@pytest.mark.parametrize(
    ("plan", "offence"),
    [
        (Contingency(lost="lhr", prefixes=("192.0.2.0/24",)), "192.0.2.0/24: not in the allow"),
        (Contingency(lost="lhr", shared=("192.0.2.0/24",)), "192.0.2.0/24: not in the allow"),
        (Contingency(lost="lhr", prefixes=("198.18.0.1/22",)), "198.18.0.1/22: "),
        (Contingency(lost="lhr", prefixes=("198.18.0.0/25",)), "198.18.0.0/25: not in the allow"),
    ],
)
def test_a_contingency_is_judged_when_it_comes_and_not_when_it_is_needed(plan, offence):
    (text,) = refusals(when_lost=(plan,))
    assert text.startswith(f"when lhr is lost, {offence}")


def test_contingencies_for_which_there_is_no_room_are_no_offence():
    parts = tuple(f"198.18.{number}.0/24" for number in range(64))
    body = msgspec.structs.replace(
        order(OWN), when_lost=(Contingency(lost="lhr", prefixes=parts),)
    )
    assert isinstance(judge(body), Accepted)


@pytest.mark.parametrize(
    ("attributes", "offence"),
    [
        (Attributes(prepend=17), "prepend 17; 0 to 16"),
        (Attributes(prepend=-1), "prepend -1; 0 to 16"),
        (Attributes(med=2**32), "med 4294967296; 0 to 4294967295"),
        (Attributes(communities=("65536:1",)), "community '65536:1'"),
        (Attributes(communities=("no-export",)), "community 'no-export'"),
        (Attributes(communities=("1:1] next-hop 1.2.3.4 [",)), "community '1:1]"),
        (Attributes(communities=("1:1\n",)), "community '1:1\\n'"),
        (Attributes(large_communities=("1:2",)), "large community '1:2'"),
        (Attributes(large_communities=("1:2:4294967296",)), "large community"),
    ],
)
def test_attributes_that_do_not_exist_are_refused(attributes, offence):
    (text,) = refusals(advertisements=(Advertisement(OWN, "north", attributes),))
    assert offence in text


@pytest.mark.parametrize(
    "prefix", ["198.18.0.1/22", "198.018.0.0/22", "everything", "2001:DB8::/32"]
)
def test_a_prefix_must_be_canonical_text(prefix):
    assert refusals(advertisements=adverts(prefix, through=("north",)))
    assert refusals(observe=(prefix,))


def test_one_path_is_advertised_once():
    two = (Advertisement(OWN, "north"), Advertisement(OWN, "north", Attributes(prepend=1)))
    (text,) = refusals(advertisements=two)
    assert text == f"{OWN} through north: 2 times; one advertisement each is allowed"


def test_no_more_prefixes_than_the_neighbor_takes():
    many = tuple(Advertisement(f"198.18.{n}.0/24", "north") for n in range(21))
    (text,) = refusals(advertisements=many)
    assert text == "21 v4 prefixes through north; its neighbor takes at most 20"


@pytest.mark.parametrize("address", ["10.1.1.1", "192.0.2.1", "here", "198.18.0.10/32"])
def test_no_address_outside_the_allow_list_is_terminated(address):
    (text,) = refusals(terminate=(address,))
    assert text.startswith(f"terminate {address}: ")


def test_all_offences_are_named_at_once():
    body = {"advertisements": adverts("192.0.2.0/24"), "terminate": ("192.0.2.1",)}
    assert len(refusals(**body)) == 3


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"observe": ("192.0.2.0/25",)}, "observe 192.0.2.0/25: longer than /24"),
        ({"observe": ("2001:db8::/64",)}, "observe 2001:db8::/64: longer than /48"),
        ({"observe": ("192.0.2.0/24",) * 4097}, "4097 prefixes; at most 4096"),
        ({"lease": -1.0}, "lease -1 s"),
        ({"lease": 1e300}, "lease 1e+300 s"),
    ],
)
def test_what_the_watch_could_not_live_with_is_refused(broken, says):
    assert any(says in text for text in refusals(**broken))
