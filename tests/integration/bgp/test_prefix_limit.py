"""A whole agent and a neighbor that ends the session at its limit of prefixes (RFC 4486)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from agents.advertising.desire import Why
from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import (
    BusChanged,
    ControllerSeen,
    KernelSeen,
    OrderArrived,
    ServiceChecked,
)
from agents.advertising.state import Facts, HostState
from agents.bgp.session import Bgp
from agents.loop import Agent, Ports
from ambicast.contract.messages import Contingency, DeedKind, Outcome, Sighting
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import split
from tests.agents_advertising.hosts import (
    ALLOW,
    ANYCAST,
    COVER,
    FLEET,
    OWN,
    VIDEO,
    order,
    stamp,
    told,
    watched,
)
from tests.behaviour.exabgp.neighborhood import PATIENCE, POP, PROTOCOLS, bird_config

MOST = 4
LHR = "198.18.4.0/22"
WHEN_LOST = Contingency(lost="lhr", prefixes=(*split(LHR, 1), LHR), shared=split(ANYCAST, 1))
FIRST = (OWN, ANYCAST, COVER)
FOURS = ((OWN, ANYCAST, COVER, VIDEO), (*split(OWN, 1), *split(LHR, 1)))


class Silent:
    """Every port but BGP; keeps what is said to the controller."""

    def __init__(self):
        self.reports, self.receipts = asyncio.Queue(), asyncio.Queue()

    def publish_report(self, report):
        self.reports.put_nowait(report)

    def publish_receipt(self, stamp, receipt):
        self.receipts.put_nowait((stamp, receipt))

    def __getattr__(self, name):
        return lambda *_: None


def facts() -> Facts:
    uplinks = {
        name: msgspec.structs.replace(each, max_prefixes=MOST)
        for name, each in POP.uplinks.items()
    }
    pop = msgspec.structs.replace(POP, name="ams", prefixes=(OWN,), uplinks=uplinks)
    fleet = msgspec.structs.replace(FLEET, pops={**FLEET.pops, "ams": pop})
    return Facts(fleet, pop, "ams-1", ALLOW, ServiceTable(fleet), "run", unix=1e9)


def sightings(**ups: bool):
    """What somebody sees of these PoPs."""
    return tuple(
        Sighting(pop=pop, uplink=uplink, family=kind, up=up)
        for pop, up in ups.items()
        for uplink in ("north", "south")
        for kind in Family
    )


class Host:
    """ams-1, which hears lhr until told otherwise."""

    def __init__(self, place):
        self.clock, self.known = asyncio.get_running_loop().time, facts()
        self.bird = place.bird
        self.said, self.hears_lhr, self.hears_north = Silent(), True, True
        self._generation = 0
        self.bgp = Bgp(place.bridge, self.known.pop, 64500, self.tell)
        ports = Ports(bus=self.said, orders=Silent(), bgp=self.bgp)
        self.agent = Agent(self.known, ports, self.clock, HostState())

    def tell(self, seen):
        self.agent.tell(seen)

    async def listen(self):
        while True:
            word = sightings(ams=True, lhr=self.hears_lhr)
            heard = {"fra-1": told("fra", self.clock(), "www", "video", seen=word)}
            seen = sightings(fra=True, lhr=self.hears_lhr)
            mine = watched(north=self.hears_north, told=heard)
            self.agent.tell(msgspec.structs.replace(mine, seen=seen))
            await asyncio.sleep(0.1)

    def give(self, *prefixes):
        self._generation += 1
        body = order(*prefixes, when_lost=(WHEN_LOST,))
        self.agent.tell(OrderArrived(stamp(self._generation), body))

    def lose_lhr_and_the_controller(self):
        self.agent.tell(ControllerSeen(online=False))
        self.agent.tell(BusChanged(connected=False))
        self.hears_lhr = False

    async def until_done(self, *deeds):
        """Waits for the first report in which all of these (kind, about) were done."""
        async with asyncio.timeout(PATIENCE):
            while True:
                report = await self.said.reports.get()
                if set(deeds) <= {(each.kind, each.about) for each in report.deeds}:
                    return report

    async def until_neighbors_have(self, *prefixes):
        wanted = frozenset(prefixes)
        await self.bird.until(
            lambda b: b.routes("north_v4") == b.routes("south_v4") == wanted or ended(b)
        )
        assert not ended(self.bird)

    async def stays_as_it_is(self, *prefixes):
        """For half a second: what was said to ExaBGP is at the neighbor long before."""
        await asyncio.sleep(0.5)
        await self.until_neighbors_have(*prefixes)
        assert all(self.bird.up(each) for each in PROTOCOLS)


def ended(bird):
    """The sessions' changes of state since it last forgot them."""
    return [each for each in bird.changes if "State changed" in each or "limit" in each]


@pytest.fixture
async def host(place):
    """Attached to a BIRD that ends a session with the fifth prefix; the first order is out."""
    limit = f"import all; receive limit {MOST} action disable;"
    await place.start_bird(configuration=bird_config(9).replace("import all;", limit))
    await place.start_exabgp()
    await place.bird.all_up()
    await place.bird.until(
        lambda b: b.told_of(*(f"{each}: State changed to up" for each in PROTOCOLS))
    )
    host = Host(place)
    host.agent.tell(KernelSeen(frozenset(FLEET.service_addresses()), carrier(), {}))
    host.agent.tell(ServiceChecked("www", fit=True))
    host.agent.tell(ServiceChecked("video", fit=True))
    host.agent.tell(ControllerSeen(online=True))
    host.give(*FIRST)
    async with asyncio.TaskGroup() as tasks:
        running = (host.agent.run(), host.bgp.run(), host.listen())
        parts = [tasks.create_task(each) for each in running]
        place.bird.changes.clear()
        await host.until_neighbors_have(*FIRST)
        yield host
        for part in parts:
            part.cancel()


def carrier():
    return {"north": True, "south": True}


async def test_what_a_lost_pop_needs_beyond_the_limit_is_left_out_most_specific_first(host):
    with capture_logs() as logged:
        host.lose_lhr_and_the_controller()
        await host.until_done((DeedKind.COVER, "lhr"))
        await host.until_neighbors_have(*FIRST, LHR)
    left_out = dict.fromkeys((*split(ANYCAST, 1), *split(LHR, 1)), Why.NO_ROOM)
    withheld = [each for each in logged if each["event"] == "advertisements withheld"]
    assert withheld[-1]["prefixes"] == left_out
    await host.stays_as_it_is(*FIRST, LHR)


async def test_what_was_taken_over_stays_when_an_uplink_falls_silent(host):
    """Parts of the own prefix would be more important, had they been first."""
    host.lose_lhr_and_the_controller()
    await host.until_neighbors_have(*FIRST, LHR)
    host.hears_north = False
    await host.until_done((DeedKind.COVER, "lhr"), (DeedKind.SPLIT, "north"))
    assert set(split(OWN, 1)) <= set(host.agent.desired.withheld)
    await host.stays_as_it_is(*FIRST, LHR)


async def test_an_order_takes_the_room_of_what_was_added_without_one(host):
    host.lose_lhr_and_the_controller()
    await host.until_neighbors_have(*FIRST, LHR)
    host.give(*FIRST, VIDEO)
    await host.until_neighbors_have(*FIRST, VIDEO)


async def test_a_full_uplink_is_turned_over_without_ending_its_session(host):
    for wanted in FOURS * 3:
        host.give(*wanted)
        await host.until_neighbors_have(*wanted)


async def test_an_order_beyond_the_limit_is_refused_and_changes_nothing(host):
    host.give(*FIRST, VIDEO, LHR)
    async with asyncio.timeout(PATIENCE):
        answered, receipt = await host.said.receipts.get()
        while answered != stamp(2):
            answered, receipt = await host.said.receipts.get()
    assert receipt.outcome is Outcome.REFUSED
    assert receipt.refusals == tuple(
        f"5 v4 prefixes through {each}; its neighbor takes at most {MOST}"
        for each in ("north", "south")
    )
    await host.stays_as_it_is(*FIRST)
