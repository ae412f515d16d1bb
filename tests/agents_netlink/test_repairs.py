"""What is repaired, in which order, and what is never touched."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agents.netlink import layout
from agents.netlink.layout import MAIN_TABLE, METRIC, Route, Rule
from agents.netlink.repairs import (
    AddAddress,
    AddRule,
    Present,
    PutRoute,
    RemoveAddress,
    RemoveRoute,
    RemoveRule,
    Wanted,
    repairs,
)
from ambicast.model.identifiers import Family
from tests.agents_watch.fleets import pop_of

POP = pop_of(1, "ams")
UP = frozenset({"eth1", "eth2"})
NOTHING = Wanted()
BOTH = {Family.V4: "north", Family.V6: "south"}
A, B, C = "198.18.4.10", "198.19.254.1", "2001:db8:a::1"


def right(wanted=NOTHING, up=UP):
    """A kernel that holds just what is wanted."""
    return Present(
        addresses=wanted.addresses or frozenset(),
        rules=layout.rules(POP),
        routes=layout.routes(POP, wanted.uplinks),
        up=up,
    )


def applied(present, changes):
    """What the kernel holds after these changes."""
    addresses, rules, routes = set(present.addresses), set(present.rules), set(present.routes)
    for change in changes:
        match change:
            case AddAddress(each):
                addresses.add(each)
            case RemoveAddress(each):
                addresses.discard(each)
            case AddRule(rule):
                rules.add(rule)
            case RemoveRule(rule):
                rules.discard(rule)
            case PutRoute(route):
                routes = {each for each in routes if each.place != route.place} | {route}
            case RemoveRoute(route):
                routes.discard(route)
    return msgspec.structs.replace(
        present,
        addresses=frozenset(addresses),
        rules=frozenset(rules),
        routes=frozenset(routes),
    )


def test_each_uplink_has_a_table_with_its_neighbor_and_a_rule_for_its_identity():
    assert Rule(Family.V4, "10.1.1.2", 100, 1000) in layout.rules(POP)
    assert Rule(Family.V6, "fd00:1:0:2::2", 101, 1001) in layout.rules(POP)
    assert Route(Family.V4, 100, METRIC, "eth1", "10.1.1.1") in layout.routes(POP, {})
    assert Route(Family.V6, 101, METRIC, "eth2", "fd00:1:0:2::1") in layout.routes(POP, {})


def test_the_main_table_leads_through_the_preferred_uplink_of_each_family():
    main = {each for each in layout.routes(POP, BOTH) if each.table == MAIN_TABLE}
    assert main == {
        Route(Family.V4, MAIN_TABLE, METRIC, "eth1", "10.1.1.1"),
        Route(Family.V6, MAIN_TABLE, METRIC, "eth2", "fd00:1:0:2::1"),
    }


def test_a_kernel_that_is_right_is_left_alone():
    wanted = Wanted(frozenset({A, B}), BOTH)
    assert repairs(POP, wanted, right(wanted)) == ()


def test_while_nobody_has_decided_on_addresses_none_is_touched():
    present = msgspec.structs.replace(right(), addresses=frozenset({A, B}))
    assert repairs(POP, Wanted(), present) == ()


def test_an_address_that_vanished_is_put_back_and_one_too_many_removed():
    wanted = Wanted(frozenset({A, C}))
    present = msgspec.structs.replace(right(wanted), addresses=frozenset({A, B}))
    assert repairs(POP, wanted, present) == (AddAddress(C), RemoveAddress(B))


def test_wanting_no_address_removes_them_all():
    present = msgspec.structs.replace(right(), addresses=frozenset({A}))
    assert repairs(POP, Wanted(frozenset()), present) == (RemoveAddress(A),)


def test_another_preferred_uplink_is_one_replaced_route():
    before = right(Wanted(uplinks={Family.V4: "north"}))
    changes = repairs(POP, Wanted(uplinks={Family.V4: "south"}), before)
    assert changes == (PutRoute(Route(Family.V4, MAIN_TABLE, METRIC, "eth2", "10.1.2.1")),)


def test_the_default_route_of_a_family_nobody_decided_on_stays():
    before = right(Wanted(uplinks=BOTH))
    assert repairs(POP, Wanted(), before) == ()


def test_what_a_replacement_left_in_its_place_goes_at_the_second_look():
    wanted = Wanted(uplinks={Family.V6: "north"})
    stale = Route(Family.V6, MAIN_TABLE, METRIC, "eth2", "fd00:1:0:2::1")
    present = right(wanted)
    both = msgspec.structs.replace(present, routes=present.routes | {stale})
    assert repairs(POP, wanted, both) == (RemoveRoute(stale),)


def test_rules_and_routes_of_an_uplink_that_is_gone_are_removed():
    rule = Rule(Family.V4, "10.1.3.2", 102, 1002)
    route = Route(Family.V4, 102, METRIC, "eth3", "10.1.3.1")
    present = right()
    more = msgspec.structs.replace(
        present, rules=present.rules | {rule}, routes=present.routes | {route}
    )
    assert repairs(POP, Wanted(), more) == (RemoveRule(rule), RemoveRoute(route))


def test_an_interface_that_is_down_takes_no_route_and_gets_its_routes_when_it_is_up():
    south = {each for each in layout.routes(POP, {}) if each.interface == "eth2"}
    down = msgspec.structs.replace(
        right(up=frozenset({"eth1"})), routes=layout.routes(POP, {}) - south
    )
    assert repairs(POP, Wanted(), down) == ()
    changes = repairs(POP, Wanted(), msgspec.structs.replace(down, up=UP))
    assert {change.route for change in changes} == south


RIGHT = layout.rules(POP), layout.routes(POP, BOTH) | layout.routes(POP, {Family.V4: "south"})
STRANGE_RULES = {Rule(Family.V4, "10.9.9.9", 100, 1000), Rule(Family.V6, "fd00::9", 103, 1003)}
STRANGE_ROUTES = {
    Route(Family.V4, 100, METRIC, "eth2", "10.1.2.1"),
    Route(Family.V6, 105, METRIC, "eth1", "fd00:1:0:1::1"),
    Route(Family.V4, MAIN_TABLE, 70, "eth1", "10.1.1.1"),
}
ADDRESSES = st.frozensets(st.sampled_from([A, B, C]))


@given(
    addresses=ADDRESSES,
    wanted=st.none() | ADDRESSES,
    rules=st.frozensets(st.sampled_from(sorted(RIGHT[0] | STRANGE_RULES))),
    routes=st.frozensets(st.sampled_from(sorted(RIGHT[1] | STRANGE_ROUTES))),
    uplinks=st.dictionaries(st.sampled_from(list(Family)), st.sampled_from(["north", "south"])),
)
def test_two_looks_make_any_kernel_right_adding_before_removing(
    addresses, wanted, rules, routes, uplinks
):
    decided = Wanted(wanted, uplinks)
    present = Present(addresses, rules, routes, {}, UP)
    for _ in range(2):
        changes = repairs(POP, decided, present)
        for kind in ((AddAddress, RemoveAddress), (AddRule, RemoveRule)):
            order = [isinstance(each, kind[1]) for each in changes if isinstance(each, kind)]
            assert order == sorted(order)
        present = applied(present, changes)
    assert repairs(POP, decided, present) == ()
    assert present.addresses == (addresses if wanted is None else wanted)
    assert layout.rules(POP) == present.rules
    assert layout.routes(POP, uplinks) <= present.routes
