"""How a PoP is judged: families apart, hosts together, and what overrules a report."""

from __future__ import annotations

import msgspec

from ambicast.contract.messages import (
    Brake,
    BrakeKind,
    Fitness,
    Report,
    Said,
    Sighting,
    Sightings,
)
from ambicast.model.identifiers import Family, HostName, Role
from ambicast.model.routes import Advertisement
from controller.world.belief import World, fold
from controller.world.condition import Condition, assess
from controller.world.hosts import HostState, view_host
from controller.world.liveness import hosts_gone, words
from controller.world.observations import HostReported, HostSighted
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops

FLEET = four_pops()
EMPTY = World(began_at=0.0)
V4, V6 = Family.V4, Family.V6
TWO = (HostName("ams-1"), HostName("ams-2"))


def two_hosts(least=1):
    """The fleet with two hosts at ams."""
    hosts = dict.fromkeys(TWO, (Role.BGP,))
    ams = msgspec.structs.replace(FLEET.pops[AMS], hosts=hosts, min_hosts=least)
    return msgspec.structs.replace(FLEET, pops={**FLEET.pops, AMS: ams})


def sees(world, watcher, paths, *, said=(), at=0.0, host="1"):
    """``paths``: (PoP, host, family, up)."""
    seen = tuple(
        Sighting(pop=pop, uplink="north", family=kind, up=up, host=name)
        for pop, name, kind, up in paths
    )
    told = Sightings(instance="i", seen=seen, said=said)
    return fold(world, HostSighted(watcher, HostName(f"{watcher}-{host}"), told), at)


def reports(world, pop, host="1", *, fit=True, without=(), brake=None, fleet=FLEET):
    wire = tuple(Advertisement(p, "north") for p in fleet.pops[pop].prefixes if p not in without)
    told = Report(instance="i", services=(Fitness(service="www", fit=fit),), wire=wire)
    told = msgspec.structs.replace(told, brake=brake)
    return fold(world, HostReported(pop, HostName(f"{pop}-{host}"), told), 0.0)


def watched(v4, v6, *, said=(), world=EMPTY, fleet=FLEET):
    """fra, lhr and mad see each other, and ams as told."""
    for watcher in (FRA, LHR, MAD):
        others = [p for p in (FRA, LHR, MAD) if p != watcher]
        paths = [(p, "", kind, True) for p in others for kind in Family]
        paths += [(AMS, "", V4, v4), (AMS, "", V6, v6)]
        world = sees(world, watcher, paths, said=said)
    for pop in FLEET.pops:
        world = (
            world if HostName(f"{pop}-1") in world.hosts and pop == AMS else reports(world, pop)
        )
    return assess(world, fleet, 0.0)[AMS]


def test_silent_in_every_family_is_gone():
    found = watched(False, False)
    assert (found.condition, found.silent) == (Condition.SILENT, (V4, V6))


def test_silent_in_one_family_is_not_gone():
    found = watched(True, False)
    assert (found.condition, found.silent) == (Condition.SERVING, (V6,))
    assert "v6 not seen by fra, lhr, mad" in found.because
    assert watched(False, True).silent == (V4,)


def test_who_sees_nobody_of_a_family_has_no_voice_in_that_family_only():
    world = EMPTY
    for watcher in (FRA, LHR):
        paths = [(MAD, "", V4, True), (AMS, "", V4, True), (MAD, "", V6, False)]
        world = sees(world, watcher, [*paths, (AMS, "", V6, False)])
    assert assess(reports(world, AMS), FLEET, 0.0)[AMS].silent == ()


def test_own_prefixes_of_one_family_off_the_wire():
    bare = reports(EMPTY, AMS, without=("2001:db8:1000::/46",))
    found = watched(True, True, world=bare)
    assert (found.condition, found.bare) == (Condition.SERVING, (V6,))


def test_the_word_of_the_switch_makes_a_fit_report_worth_nothing():
    """No order reaches it, so what it still advertises is as stale as a dead PoP's."""
    switched = (Said(pop="ams", host="ams-1", voice=False, switched=True),)
    found = watched(True, True, said=switched)
    assert (found.condition, found.silent) == (Condition.SILENT, (V4, V6))
    assert "dead man's switch" in found.because
    assert not found.resists


def test_an_agent_without_a_voice_stays_what_it_reported():
    voiceless = (Said(pop="ams", host="ams-1", voice=False),)
    assert watched(True, True, said=voiceless).condition is Condition.SERVING


def test_a_word_counts_only_from_who_sees_the_host_now():
    said = (Said(pop="ams", host="ams-1", switched=True),)
    world = sees(EMPTY, FRA, [(AMS, "ams-1", V4, False), (LHR, "", V4, True)], said=said)
    assert words(world, 0.0) == {}
    world = sees(EMPTY, FRA, [(AMS, "ams-1", V4, True)], said=said)
    assert words(world, 0.0) == {"ams-1": said}
    assert words(world, 60.0) == {}


def test_a_brake_is_told_with_its_reason():
    brake = Brake(kind=BrakeKind.WITHDRAW, reason="smoke in the rack")
    found = watched(True, True, world=reports(EMPTY, AMS, brake=brake))
    assert found.condition is Condition.UNFIT
    assert "smoke in the rack" in found.because
    held = Brake(kind=BrakeKind.HOLD, reason="debugging")
    assert watched(True, True, world=reports(EMPTY, AMS, brake=held)).condition is (
        Condition.SERVING
    )


def test_unfit_and_still_advertising_is_told_apart():
    assert watched(True, True, world=reports(EMPTY, AMS, fit=False)).resists
    bare = FLEET.pops[AMS].prefixes
    assert not watched(True, True, world=reports(EMPTY, AMS, fit=False, without=bare)).resists


def test_failing_checks_are_doubt_before_they_are_judged():
    sure = (Said(pop="ams", host="ams-1", fit=("www",)),)
    assert not watched(True, True, said=sure).doubted
    assert watched(True, True, said=(Said(pop="ams", host="ams-1"),)).doubted
    assert not watched(True, True, said=(Said(pop="ams", host="ams-1", voice=False),)).doubted


def two(up, least=1):
    """ams has two hosts; ``up`` says which of them fra, lhr and mad see."""
    fleet, world = two_hosts(least), EMPTY
    for watcher in (FRA, LHR, MAD):
        others = [p for p in (FRA, LHR, MAD) if p != watcher]
        paths = [(p, f"{p}-1", kind, True) for p in others for kind in Family]
        paths += [(AMS, host, kind, host in up) for host in TWO for kind in Family]
        world = sees(world, watcher, paths)
    for number in ("1", "2"):
        world = reports(world, AMS, number)
    return world, fleet


def test_one_host_lost_is_not_the_pop():
    world, fleet = two(up={"ams-2"})
    assert hosts_gone(world, fleet, 0.0) == {"ams-1"}
    found = assess(world, fleet, 0.0)[AMS]
    assert (found.condition, found.silent) == (Condition.SERVING, ())


def test_too_few_hosts_are_unfit():
    world, fleet = two(up={"ams-2"}, least=2)
    found = assess(world, fleet, 0.0)[AMS]
    assert found.condition is Condition.UNFIT
    assert found.because == "ams-1: not seen by a quorum; 1 of at least 2 hosts fit"


def test_every_host_lost_is_the_pop():
    world, fleet = two(up=set())
    assert assess(world, fleet, 0.0)[AMS].condition is Condition.SILENT


def test_what_the_own_pop_says_of_a_host_counts_for_nothing():
    world, fleet = two(up=set(TWO))
    world = sees(world, AMS, [(AMS, "ams-2", V4, False), (FRA, "fra-1", V4, True)])
    assert hosts_gone(world, fleet, 0.0) == frozenset()
    view = view_host(world, fleet, AMS, TWO[1], gone=frozenset(), said=())
    assert view.state is HostState.PASSING


def test_a_host_that_was_never_heard_is_waited_for():
    fleet = two_hosts(least=2)
    world = reports(EMPTY, AMS, "1")
    world = sees(world, FRA, [(AMS, "", V4, True)])
    assert assess(world, fleet, 0.0)[AMS].condition is Condition.UNKNOWN
