"""Paths through several tables: where they end, and what keeps them from ending."""

import pytest

from lab.fibs import FibMonitor
from lab.fibs.netlink import LOCAL, TABLE_LOCAL, TABLE_MAIN, UNICAST, LinkMessage, RouteMessage
from lab.fibs.tables import Table
from lab.topology import End, Link

UNREACHABLE = 7
ADDRESS = "198.18.0.10"
AS_NUMBER = int.from_bytes(bytes([198, 18, 0, 10]), "big")


class World:
    """Three nodes in a ring: a:eth1 - b:eth2, b:eth1 - c:eth2, c:eth1 - a:eth2."""

    def __init__(self):
        ring = ("a", "b", "c")
        links = [
            Link(End(ring[i], "eth1"), End(ring[(i + 1) % 3], "eth2")) for i in range(len(ring))
        ]
        self.monitor = FibMonitor({}, links)
        for node in ring:
            self.monitor.tables[node] = Table()
            for index in (1, 2):
                self.link(node, index)

    def link(self, node, index, *, up=True, carrier=True):
        message = LinkMessage(False, index, f"eth{index}", up, carrier)
        list(self.monitor.tables[node].apply_link(message))

    def route(self, node, interface, kind=UNICAST):
        message = RouteMessage(True, 4, TABLE_MAIN, kind, 0, 0, 0, interface, None)
        list(self.monitor.tables[node].apply_route(message))

    def terminates(self, node):
        message = RouteMessage(True, 4, TABLE_LOCAL, LOCAL, AS_NUMBER, 32, 0, 0, None)
        list(self.monitor.tables[node].apply_route(message))

    def walk(self):
        return self.monitor.walk("a", ADDRESS)


@pytest.fixture
def world():
    return World()


def test_a_path_ends_where_the_address_is_terminated(world):
    world.route("a", 1)
    world.route("b", 1)
    world.terminates("c")
    path = world.walk()
    assert (path.outcome, path.end, path.nodes) == ("local", "c", ("a", "b", "c"))


def test_an_own_address_goes_nowhere_else(world):
    world.route("a", 1)
    world.terminates("a")
    world.terminates("b")
    assert world.walk().nodes == ("a",)


def test_two_routers_that_point_at_each_other_are_a_loop(world):
    world.route("a", 1)
    world.route("b", 2)
    path = world.walk()
    assert (path.outcome, path.end, path.nodes) == ("loop", None, ("a", "b", "a"))


def test_no_route_is_a_black_hole(world):
    world.route("a", 1)
    path = world.walk()
    assert (path.outcome, path.nodes) == ("blackhole", ("a", "b"))


def test_a_refusing_route_is_a_black_hole(world):
    world.route("a", 1, kind=UNREACHABLE)
    world.terminates("b")
    assert world.walk().outcome == "blackhole"


@pytest.mark.parametrize(
    ("node", "index", "state"),
    [("a", 1, {"carrier": False}), ("a", 1, {"up": False}), ("b", 2, {"up": False})],
    ids=["no carrier", "set down here", "set down there"],
)
def test_a_link_that_is_down_at_either_end_is_a_black_hole(world, node, index, state):
    world.route("a", 1)
    world.terminates("b")
    assert world.walk().outcome == "local"
    world.link(node, index, **state)
    world.route("a", 1)
    assert world.walk().outcome == "blackhole"
