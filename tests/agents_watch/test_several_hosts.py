"""Hosts of one PoP watch each other, and others tell them apart."""

import asyncio

import pytest

from ambicast.model.identifiers import Family
from tests.agents_watch.ether import Stage
from tests.agents_watch.fleets import fleet_of, with_two_hosts

pytestmark = pytest.mark.looptime(start=1000)

BOTH = {Family.V4: True, Family.V6: True}
NEITHER = {Family.V4: False, Family.V6: False}


def stage_of(names=("ams", "fra", "lhr"), crowded="fra"):
    return Stage(fleet=with_two_hosts(fleet_of(names), crowded))


def up_by_host(watched):
    found = {}
    for each in watched.seen:
        found.setdefault(each.host, set()).add(each.up)
    return found


async def test_a_lost_host_is_told_from_the_other_by_other_pops_and_by_that_host():
    async with stage_of().running() as stage:
        stage.ether.cut.add("fra-2")
        await asyncio.sleep(0.4)
        lost = {"fra-1": {True}, "fra-2": {False}, "lhr-1": {True}}
        assert up_by_host(stage.last("ams-1")) == lost
        beside = {"ams-1": {True}, "fra-2": {False}, "lhr-1": {True}}
        assert up_by_host(stage.last("fra-1")) == beside
        assert set(stage.last("fra-2").told) == {"ams-1", "fra-1", "lhr-1"}


async def test_a_pop_behind_a_silent_router_does_not_take_its_uplinks_for_working():
    """The hosts of a PoP see each other through anything; that proves nothing."""
    async with stage_of().running() as stage:
        stage.ether.cut |= {"ams", "lhr"}
        await asyncio.sleep(0.4)
        for host, other in (("fra-1", "fra-2"), ("fra-2", "fra-1")):
            assert stage.last(host).working == {"north": NEITHER, "south": NEITHER}
            assert up_by_host(stage.last(host))[other] == {True}


async def test_alone_in_its_fleet_a_pop_knows_nothing_of_its_uplinks():
    async with stage_of(["fra"]).running() as stage:
        assert stage.last("fra-1").working == {"north": {}, "south": {}}
        assert up_by_host(stage.last("fra-1")) == {"fra-2": {True}}


async def test_one_host_at_the_others_identity_address_proves_nothing():
    async with stage_of().running() as stage:
        second = stage.fleet.pops["fra"].at("fra-2")
        for uplink in second.uplinks.values():
            stage.ether.home |= dict.fromkeys(uplink.identity.values(), "fra-1")
        await asyncio.sleep(0.5)
        assert up_by_host(stage.last("ams-1"))["fra-2"] == {False}
        assert stage.watchers["ams-1"].dropped["another answered"] > 0


async def test_words_carry_what_is_seen_of_every_host():
    async with stage_of().running() as stage:
        stage.ether.cut.add("fra-2")
        await asyncio.sleep(0.5)
        seen = stage.last("ams-1").told["lhr-1"].seen
        assert {(s.pop, s.host, s.up) for s in seen} == {
            ("ams", "ams-1", True),
            ("fra", "fra-1", True),
            ("fra", "fra-2", False),
        }
        assert stage.last("ams-1").told["fra-1"].pop == "fra"
