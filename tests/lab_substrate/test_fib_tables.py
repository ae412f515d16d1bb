"""One node's forwarding table, message by message."""

import ipaddress
import struct

from lab.fibs.netlink import (
    LOCAL,
    RTM_NEWROUTE,
    TABLE_LOCAL,
    TABLE_MAIN,
    UNICAST,
    LinkMessage,
    RouteMessage,
    parse,
)
from lab.fibs.tables import Table, prefix_text


def route(prefix, *, interface=1, metric=0, added=True, table=TABLE_MAIN, kind=UNICAST, via=None):
    network = ipaddress.ip_network(prefix)
    gateway = ipaddress.ip_address(via).packed if via else None
    return RouteMessage(
        added,
        network.version,
        table,
        kind,
        int(network.network_address),
        network.prefixlen,
        metric,
        interface,
        gateway,
    )


def link(index, *, up=True, carrier=True, gone=False):
    return LinkMessage(gone, index, f"eth{index}", up, carrier)


def table_of(*messages):
    table = Table()
    list(table.apply_link(link(1)))
    list(table.apply_link(link(2)))
    for message in messages:
        list(table.apply_route(message))
    return table


def taken(table, address):
    address = ipaddress.ip_address(address)
    found = table.lookup(address.version, int(address))
    return None if found is None else (prefix_text(found), found.interface)


def test_the_longest_prefix_wins():
    table = table_of(route("198.18.0.0/17"), route("198.18.0.0/22", interface=2))
    assert taken(table, "198.18.3.9") == ("198.18.0.0/22", 2)
    assert taken(table, "198.18.4.9") == ("198.18.0.0/17", 1)
    assert taken(table, "198.19.0.1") is None


def test_the_lowest_metric_wins_among_equals():
    table = table_of(route("0.0.0.0/0", metric=200, interface=2), route("0.0.0.0/0", metric=100))
    assert taken(table, "8.8.8.8") == ("0.0.0.0/0", 1)
    list(table.apply_route(route("0.0.0.0/0", metric=100, added=False)))
    assert taken(table, "8.8.8.8") == ("0.0.0.0/0", 2)


def test_a_late_removal_of_a_replaced_route_changes_nothing():
    table = table_of(
        route("2001:db8:1000::/46", via="fd00::1"),
        route("2001:db8:1000::/46", via="fd00::2", interface=2),
    )
    late = route("2001:db8:1000::/46", via="fd00::1", added=False)
    assert list(table.apply_route(late)) == []
    assert taken(table, "2001:db8:1000::a") == ("2001:db8:1000::/46", 2)


def test_a_new_next_hop_is_a_change_and_the_same_again_is_none():
    table = table_of(route("10.0.0.0/8", via="10.0.0.1"))
    (change,) = table.apply_route(route("10.0.0.0/8", via="10.0.0.2", interface=2))
    assert (change.what, change.gateway, change.interface) == ("route-changed", "10.0.0.2", "eth2")
    assert list(table.apply_route(route("10.0.0.0/8", via="10.0.0.2", interface=2))) == []


def test_a_link_set_down_takes_its_ipv4_routes_along():
    table = table_of(route("198.18.0.0/22"), route("198.18.4.0/22", interface=2))
    said = [(change.what, change.prefix) for change in table.apply_link(link(1, up=False))]
    assert said == [("link-down", None), ("route-removed", "198.18.0.0/22")]
    assert taken(table, "198.18.0.1") is None
    assert taken(table, "198.18.4.1") is not None


def test_a_lost_carrier_leaves_the_routes_to_the_router():
    table = table_of(route("198.18.0.0/22"))
    assert [each.what for each in table.apply_link(link(1, carrier=False))] == ["link-down"]
    assert taken(table, "198.18.0.1") == ("198.18.0.0/22", 1)


def test_own_addresses_come_and_go_by_the_local_table():
    own = {"table": TABLE_LOCAL, "kind": LOCAL}
    table = table_of(route("198.18.0.10/32", **own))
    address = int(ipaddress.ip_address("198.18.0.10"))
    assert table.is_local(4, address)
    list(table.apply_route(route("198.18.0.10/32", added=False, **own)))
    assert not table.is_local(4, address)


def test_link_local_networks_are_nobodys_business():
    table = Table()
    assert list(table.apply_route(route("fe80::/64"))) == []
    assert list(table.apply_route(route("ff00::/8"))) == []


def test_a_route_of_several_next_hops_is_read_as_its_first():
    gateway = struct.pack("=HH4s", 8, 5, bytes([10, 3, 1, 2]))
    nexthop = struct.pack("=HBBi", 8 + len(gateway), 0, 0, 7) + gateway
    attributes = struct.pack("=HH4s", 8, 1, bytes([198, 18, 0, 0]))
    attributes += struct.pack("=HH", 4 + 2 * len(nexthop), 9) + nexthop * 2
    body = struct.pack("=BBBBBBBBI", 2, 22, 0, 0, TABLE_MAIN, 0, 0, UNICAST, 0) + attributes
    data = struct.pack("=IHHII", 16 + len(body), RTM_NEWROUTE, 0, 0, 0) + body
    (message,) = parse(data)
    assert (prefix_text(message), message.interface) == ("198.18.0.0/22", 7)
    assert message.gateway == bytes([10, 3, 1, 2])


def test_a_truncated_message_ends_the_reading():
    assert list(parse(b"\x05\x00\x00\x00" + bytes(12))) == []
    assert list(parse(b"\x00")) == []
