"""A host of the own PoP falls silent: one rung deeper, for the PoP's router alone."""

from __future__ import annotations

import msgspec
import pytest

from agents.advertising.additions import NO_EXPORT
from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import Told, Watched
from agents.advertising.state import Facts
from ambicast.contract.messages import DeedKind, Sighting
from ambicast.model.identifiers import Family, Role
from ambicast.model.prefixes import split
from tests.agents_advertising import hosts
from tests.agents_advertising.hosts import ALLOW, AMS, ANYCAST, COVER, FLEET, OWN, OWN6, Host

V4, V6 = Family.V4, Family.V6
PARTS = {*split(OWN, 1), *split(ANYCAST, 1), *split(COVER, 1)}


@pytest.fixture
def host(monkeypatch):
    """ams-1 of two hosts, healthy, and watching for long enough."""
    two = msgspec.structs.replace(AMS, hosts={"ams-1": (Role.BGP,), "ams-2": (Role.BGP,)})
    fleet = msgspec.structs.replace(FLEET, pops={**FLEET.pops, "ams": two})
    facts = Facts(fleet, two, "ams-1", ALLOW, ServiceTable(fleet), "run")
    monkeypatch.setattr(hosts, "FACTS", facts)
    host = Host.healthy(OWN, OWN6, ANYCAST, COVER)
    watch(host, 1.5)
    host.obey()
    return host


def watch(host, seconds, *, silent=(), others=True, says=None):
    """Look on; ``silent`` are the families in which ams-2 is not seen."""
    for _ in range(round(seconds / 0.1)):
        host.now += 0.1
        beside = [sighting("ams", "ams-2", kind, kind not in silent) for kind in Family]
        far = [sighting("fra", "fra-1", kind, others) for kind in Family]
        words = () if says is None else (sighting("ams", "ams-2", V4, says),)
        fra = Told("fra", "fra-1", "run", fit=frozenset({"www"}), seen=words, heard=host.now)
        working = {name: dict.fromkeys(Family, others) for name in ("north", "south")}
        host.tell(Watched((*beside, *far), {}, working, told={"fra-1": fra}))


def sighting(pop, name, kind, up):
    return Sighting(pop=pop, host=name, uplink="north", family=kind, up=up)


def test_everything_is_advertised_one_rung_deeper_and_not_exported(host):
    before = host.desired.advertisements
    watch(host, 0.6, silent=[V4])
    added = host.desired.advertisements - before
    assert {each.prefix for each in added} == PARTS
    assert all(NO_EXPORT in each.attributes.communities for each in added)
    (deed,) = host.state.deeds
    assert (deed.kind, deed.about) == (DeedKind.SPLIT, "ams-2")


def test_a_gap_changes_nothing(host):
    before = host.desired.advertisements
    watch(host, 0.3, silent=Family)
    watch(host, 1.0)
    assert host.desired.advertisements == before


def test_who_sees_nobody_else_is_cut_off_itself(host):
    watch(host, 5.0, silent=Family, others=False)
    assert host.state.deeds == ()


def test_a_host_that_another_pop_still_sees_is_there(host):
    watch(host, 5.0, silent=[V4], says=True)
    assert host.state.deeds == ()
    watch(host, 0.1, silent=[V4], says=False)
    assert len(host.state.deeds) == 1


def test_it_goes_no_deeper_while_the_silence_lasts(host):
    watch(host, 20.0, silent=[V4])
    host.obey()
    watch(host, 5.0, silent=[V4])
    assert host.prefixes == {OWN, OWN6, ANYCAST, COVER} | PARTS


def test_when_the_host_has_been_back_for_long_enough_it_ends(host):
    watch(host, 1.0, silent=[V4])
    host.obey()
    watch(host, 9.0)
    assert host.prefixes >= PARTS
    watch(host, 2.0)
    assert host.prefixes == {OWN, OWN6, ANYCAST, COVER}
    assert host.state.deeds == ()


def test_a_host_that_was_never_seen_is_not_missed(monkeypatch):
    host = Host.healthy(OWN)
    watch(host, 5.0, silent=Family)
    assert host.state.deeds == ()
