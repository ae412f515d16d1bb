"""Whatever the broker does, nothing changes on the wire, and both ends find each other again."""

from __future__ import annotations

import asyncio

from agents.advertising.observations import BusChanged, ControllerSeen, OrderArrived
from agents.loop import REPORT_EVERY
from ambicast.contract.codec import Stamp
from controller.world.observations import HostAnswered, HostPresent, HostReported
from tests.agents_advertising.hosts import ANYCAST, OWN
from tests.integration.bus.ends import ControllerEnd, HostEnd, running, until
from tests.integration.bus.line import Line


def connections(host):
    return [each.connected for each in host.seen if isinstance(each, BusChanged)]


def reports(controller):
    return len(controller.of(HostReported))


def answered(controller, stamp):
    return any(each.stamp == stamp for each in controller.of(HostAnswered))


async def test_a_broker_that_goes_and_returns_empty_is_told_everything_by_both_ends(mosquitto):
    host, controller = HostEnd(mosquitto.port), ControllerEnd(mosquitto.port)
    async with running(host, controller):
        controller.give(2, OWN, ANYCAST)
        await until(lambda: answered(controller, Stamp(1, 2)) and reports(controller))
        wires = list(host.wire.wanted)
        mosquitto.kill()
        await until(lambda: connections(host)[-1] is False and not controller.connected)
        before = reports(controller), len(controller.of(HostPresent))
        orders = sum(isinstance(each, OrderArrived) for each in host.seen)
        mosquitto.start()  # it keeps nothing on disk
        await until(lambda: connections(host)[-1] and controller.connected)
        clock = asyncio.get_running_loop().time
        began = clock()
        await until(lambda: reports(controller) > before[0])
        await until(lambda: len(controller.of(HostPresent)) > before[1])
        assert clock() - began < REPORT_EVERY / 2, "said again at once, not when it was due"
        await until(lambda: sum(isinstance(e, OrderArrived) for e in host.seen) > orders)
        assert host.held == Stamp(1, 2)
        # The very same order is the very same wish.
        assert host.wire.wanted == wires
        controller.give(3, OWN)
        await until(lambda: host.held == Stamp(1, 3))


async def test_orders_given_while_the_broker_is_away_arrive_as_the_newest_only(mosquitto):
    host, controller = HostEnd(mosquitto.port), ControllerEnd(mosquitto.port)
    async with running(host, controller):
        await until(lambda: controller.connected and connections(host)[-1:] == [True])
        mosquitto.kill()
        await until(lambda: connections(host)[-1] is False and not controller.connected)
        for generation in range(2, 9):
            controller.give(generation, OWN)
        mosquitto.start()
        await until(lambda: host.held == Stamp(1, 8))
        arrived = [each.stamp for each in host.seen if isinstance(each, OrderArrived)]
        assert set(arrived) == {Stamp(1, 8)}


async def test_a_slow_broker_is_waited_for(mosquitto):
    async with Line(mosquitto.port).open() as line:
        host, controller = HostEnd(line.port), ControllerEnd(line.port)
        line.delay = 0.5
        async with running(host, controller):
            await until(lambda: controller.connected and connections(host)[-1:] == [True])
            controller.give(2, OWN)
            await until(lambda: answered(controller, Stamp(1, 2)))
            await until(lambda: ControllerSeen(online=True, epoch=1) in host.seen)
            assert connections(host) == [True]
            assert controller.connected


async def test_a_broker_that_hangs_is_found_out_and_costs_nothing(mosquitto):
    async with Line(mosquitto.port).open() as line:
        host, controller = HostEnd(line.port), ControllerEnd(line.port)
        async with running(host, controller):
            controller.give(2, OWN, ANYCAST)
            await until(lambda: answered(controller, Stamp(1, 2)))
            wires = list(host.wire.wanted)
            line.deaf = True
            began = asyncio.get_running_loop().time()
            controller.give(3, OWN)
            await until(lambda: connections(host)[-1] is False and not controller.connected)
            # An unconfirmed message ends a connection after three seconds.
            assert asyncio.get_running_loop().time() - began < 9
            assert host.wire.wanted == wires
            assert host.held == Stamp(1, 2)
            line.cut()
            line.deaf = False
            await until(lambda: host.held == Stamp(1, 3))
            await until(lambda: answered(controller, Stamp(1, 3)))


async def test_a_line_that_is_cut_again_and_again_delivers_in_the_end(mosquitto):
    async with Line(mosquitto.port).open() as line:
        host, controller = HostEnd(line.port), ControllerEnd(mosquitto.port)
        async with running(host, controller):
            for generation in range(2, 6):
                await until(lambda: connections(host)[-1:] == [True])
                line.cut()
                controller.give(generation, OWN)
            await until(lambda: host.held == Stamp(1, 5))
            await until(lambda: answered(controller, Stamp(1, 5)))
