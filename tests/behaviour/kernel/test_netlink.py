"""agents.netlink against a real kernel, and what it assumes of it."""

import asyncio
import contextlib
import errno

import pytest
from pyroute2 import AsyncIPRoute
from structlog.testing import capture_logs

from agents.netlink.carrier import CarrierLine
from agents.netlink.kernel import GROUPS, LOOK_EVERY, Kernel
from agents.netlink.layout import MAIN_TABLE
from ambicast.model.identifiers import Family
from tests.behaviour.kernel.world import Told, run

A, B = "198.18.4.10", "198.19.254.1"
C = "2001:db8:a::1"
BOTH = {Family.V4: "north", Family.V6: "south"}
STORM = 3000  # pairs of changes; each makes at least four events


class Keeping:
    """A kernel adapter at work in ams; this thread stays in its namespace meanwhile."""

    def __init__(self, world):
        self.pop = world.fleet.pops["ams"]
        self.told = Told()
        self.kernel = Kernel(self.pop, world.fleet.steered(), self.told)

    @contextlib.asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.kernel.run())
            await self.told.until(lambda seen: True)
            yield self
            task.cancel()

    async def terminated(self, *addresses):
        await self.told.until(lambda seen: seen.terminated == frozenset(addresses))


@pytest.fixture
async def keeping(world):
    with world.inside("ams"):
        async with Keeping(world).running() as running:
            yield running


def ip(command):
    return run("ip", *command.split())


def default(family, table="main"):
    """The default routes, in the order in which the kernel prefers them."""
    return ip(f"{family} route show default table {table}").splitlines()


async def test_each_identity_leaves_through_its_own_uplink_whatever_the_main_table_says(keeping):
    keeping.kernel.want(None, {Family.V4: "south", Family.V6: "south"})
    await keeping.told.until(lambda seen: seen.default_uplink.get(Family.V6) == "south")
    for uplink in keeping.pop.uplinks.values():
        for family, far in ((Family.V4, "198.51.100.1"), (Family.V6, "2001:db8:ffff::1")):
            found = ip(f"route get {far} from {uplink.identity[family]}")
            assert f"via {uplink.neighbor[family]} dev {uplink.interface}" in found


async def test_addresses_are_added_ready_for_use_and_removed(keeping):
    keeping.kernel.want(frozenset({A, B, C}), {})
    await keeping.terminated(A, B, C)
    assert "tentative" not in ip("addr show dev lo")
    keeping.kernel.want(frozenset({A}), {})
    await keeping.terminated(A)
    keeping.kernel.want(frozenset(), {})
    await keeping.terminated()


async def test_addresses_of_others_are_neither_removed_nor_added(keeping):
    ip("addr add 10.77.0.1/32 dev lo")
    keeping.kernel.want(frozenset({A, "10.66.0.1"}), {})
    await keeping.terminated(A)
    assert "10.77.0.1/32" in ip("addr show dev lo")
    assert "10.66.0.1" not in ip("addr show dev lo")


async def test_hands_off_leaves_even_steered_addresses_as_they_are(world):
    with world.inside("ams"):
        ip(f"addr add {A}/32 dev lo")
        async with Keeping(world).running() as keeping:
            await keeping.terminated(A)
            keeping.kernel.want(None, BOTH)
            await keeping.told.until(lambda seen: seen.default_uplink == BOTH)
            assert keeping.told.last.terminated == {A}


async def test_what_somebody_else_removes_is_put_back(keeping):
    keeping.kernel.want(frozenset({A, C}), BOTH)
    await keeping.terminated(A, C)
    ip(f"addr del {A}/32 dev lo")
    ip(f"addr del {C}/128 dev lo")
    ip("rule del from 10.1.1.2")
    ip("-6 rule del from fd00:1:0:1::2")
    ip("route del default table 101")
    ip("-6 route del default metric 50")
    await kernel_shows(lambda: is_whole() and terminates(A, C))


async def test_the_default_route_follows_the_preferred_uplink_and_boot_routes_stay(keeping):
    ip("route add default via 10.1.1.1 dev eth1 metric 100")
    await keeping.told.until(lambda seen: seen.default_uplink == {Family.V4: "north"})
    keeping.kernel.want(None, {Family.V4: "south"})
    await keeping.told.until(lambda seen: seen.default_uplink == {Family.V4: "south"})
    assert default("-4") == [
        "default via 10.1.2.1 dev eth2 proto 179 metric 50 ",
        "default via 10.1.1.1 dev eth1 metric 100 ",
    ]
    keeping.kernel.want(None, {Family.V4: "north"})
    await keeping.told.until(lambda seen: seen.default_uplink == {Family.V4: "north"})
    assert default("-4") == [
        "default via 10.1.1.1 dev eth1 proto 179 metric 50 ",
        "default via 10.1.1.1 dev eth1 metric 100 ",
    ]


async def test_an_uplink_that_was_down_gets_its_routes_again(keeping):
    keeping.kernel.want(None, {Family.V4: "south", Family.V6: "north"})
    await keeping.told.until(lambda seen: len(seen.default_uplink) == 2)
    ip("link set eth2 down")
    await keeping.told.until(
        lambda seen: not seen.carrier["south"] and Family.V4 not in seen.default_uplink
    )
    assert default("-4", "101") == []
    ip("link set eth2 up")
    await keeping.told.until(lambda seen: seen.default_uplink.get(Family.V4) == "south")
    assert len(default("-4", "101")) == 1
    ip("addr add fd00:1:0:2::2/64 dev eth2 nodad")  # the kernel drops IPv6 addresses at link-down
    await kernel_shows(is_whole)


async def test_carrier_lost_at_the_far_end_is_told_within_150_ms_however_often(keeping, world):
    """Netlink alone would tell the second loss of a second up to 900 ms late."""
    loop = asyncio.get_running_loop()
    for state in ("down", "up", "down", "up"):
        run("ip", "-n", world.router, "link", "set", "r1eth1", state)
        turned = loop.time()
        told = await keeping.told.until(lambda s, up=state == "up": s.carrier["north"] is up)
        assert told - turned < 0.15


async def test_the_default_route_moves_within_100_ms_of_lost_carrier(keeping, world):
    north, south = dict.fromkeys(Family, "north"), dict.fromkeys(Family, "south")
    told = keeping.kernel._tell

    def decide(seen):
        told(seen)
        if not seen.carrier["north"]:
            keeping.kernel.want(None, south)

    keeping.kernel._tell = decide
    loop = asyncio.get_running_loop()
    for _ in range(3):
        keeping.kernel.want(None, north)
        await keeping.told.until(lambda seen: seen.default_uplink == north)
        async with AsyncIPRoute() as events:
            await events.bind(groups=GROUPS)
            run("ip", "-n", world.router, "link", "set", "r1eth1", "down")
            lost = loop.time()
            async with asyncio.timeout(5):
                await moved(events, families=2)
            assert loop.time() - lost < 0.1
        run("ip", "-n", world.router, "link", "set", "r1eth1", "up")
        await keeping.told.until(lambda seen: seen.carrier["north"])


async def moved(events, families):
    """Until that many families have a new default route in the main table."""
    found = set()
    while len(found) < families:
        async for each in events.get():
            main = (each.get("table") or each.get_attr("RTA_TABLE")) == MAIN_TABLE
            if each["event"] == "RTM_NEWROUTE" and each["dst_len"] == 0 and main:
                found.add(each["family"])


async def test_a_storm_of_events_is_survived(keeping):
    """The kernel drops events when nobody reads (ENOBUFS); then everything is looked at anew."""
    keeping.kernel.want(frozenset({A}), BOTH)
    await keeping.terminated(A)
    with capture_logs() as said:
        lines = ["addr add 10.77.0.1/32 dev lo", "addr del 10.77.0.1/32 dev lo"] * STORM
        run("ip", "-batch", "-", text="\n".join(lines))  # blocks this loop meanwhile
        ip(f"addr del {A}/32 dev lo")
        await kernel_shows(lambda: terminates(A))
        async with asyncio.timeout(5):
            while not reopened(said):  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.02)
    # And it hears events again: long before it would look without one.
    await keeping.told.until(lambda seen: A in seen.terminated)
    ip(f"addr del {A}/32 dev lo")
    await kernel_shows(lambda: terminates(A), within=LOOK_EVERY / 2)
    keeping.kernel.want(frozenset({A, B}), BOTH)
    await keeping.terminated(A, B)


def reopened(said):
    lines = [each for each in said if each["event"] == "netlink opened anew"]
    return any(f"[Errno {errno.ENOBUFS}]" in each["reason"] for each in lines)


async def test_a_second_agent_finds_everything_done(world):
    with world.inside("ams"):
        for _ in range(2):
            async with Keeping(world).running() as keeping:
                keeping.kernel.want(frozenset({A}), BOTH)
                await keeping.told.until(lambda seen: seen.default_uplink == BOTH)
                await keeping.terminated(A)
                rules = ip("rule") + ip("-6 rule")
        assert rules.count("proto 179") == 4
        assert is_whole()


async def test_an_order_that_cannot_be_carried_out_stops_nothing_else(keeping):
    ip("-6 addr flush dev eth1 scope global")  # no way to that neighbor any more
    ip("-6 route flush table 100")
    keeping.kernel.want(frozenset({A}), {Family.V6: "north", Family.V4: "south"})
    await keeping.terminated(A)
    assert keeping.told.last.default_uplink == {Family.V4: "south"}


def test_carrier_is_that_of_the_own_namespace(world):
    with world.inside("ams"), CarrierLine() as line:
        assert line.has_carrier("eth1")
        assert not line.has_carrier("eth9")
        ip("link set eth1 down")
        assert not line.has_carrier("eth1")
    with CarrierLine() as line:
        assert not line.has_carrier("eth2")


def is_whole():
    """Whether every uplink has its rules and routes."""
    rules = ip("rule") + ip("-6 rule")
    tables = [default(family, table) for family in ("-4", "-6") for table in ("100", "101")]
    return rules.count("proto 179") == 4 and all(len(table) == 1 for table in tables)


def terminates(*addresses):
    shown = ip("addr show dev lo")
    return all(f" {each}/" in shown for each in addresses)


async def kernel_shows(holds, within=5.0):
    """Wait until ``holds``, looking again after each event of the kernel."""
    async with asyncio.timeout(within), AsyncIPRoute() as events:
        await events.bind(groups=GROUPS)
        while not holds():
            async for _ in events.get():
                break
