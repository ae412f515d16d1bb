"""A controller that comes back to a fleet file in which a PoP is missing, or new."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.messages import DeedKind
from ambicast.model.routes import Advertisement
from controller.choreography.kept import Kept, still_meant
from controller.choreography.phases import Phase
from controller.choreography.posture import Posture
from controller.choreography.resuming import resumed
from controller.choreography.run import fresh
from tests.choreography.fleets import AMS, FRA, MAD, four_pops, three_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}


def test_a_helper_that_is_no_longer_in_the_fleet_is_forgotten() -> None:
    stage = Stage(four_pops(**QUICK))
    stage.pass_time(3)
    stage.silent.add(AMS)
    stage.pass_time(3)
    assert "mad" in stage.run.pops[AMS].posture.helpers
    stage.fleet = three_pops(**QUICK)
    run = resumed(stage.run, fresh(stage.fleet, 1, stage.now), stage.fleet)
    stage.world = stage.world.__class__(began_at=stage.now)
    restarted(stage, run)
    stage.silent.clear()
    stage.pass_time(60, every=0.5)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    assert not stage.wire(FRA) & {"198.18.0.0/22"}


def test_a_pop_that_is_new_to_the_fleet_begins() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(3)
    stage.fleet = four_pops(**QUICK)
    restarted(stage, resumed(stage.run, fresh(stage.fleet, 1, stage.now), stage.fleet))
    stage.pass_time(10)
    assert {pop.phase for pop in stage.run.pops.values()} == {Phase.HOME}
    assert len(stage.run.pops) == 4


def without_mad(stage: Stage, *, journal: bool) -> None:
    """mad leaves the fleet, while all that was added for it stands."""
    stage.fleet = three_pops(**QUICK)
    begun = fresh(stage.fleet, 1, stage.now)
    restarted(stage, resumed(stage.run, begun, stage.fleet) if journal else None)
    gone = {host: pop for host, pop in stage.world.pops.items() if pop == "mad"}
    stage.world = msgspec.structs.replace(
        stage.world,
        hosts={host: each for host, each in stage.world.hosts.items() if host not in gone},
        pops={host: pop for host, pop in stage.world.pops.items() if host not in gone},
    )


@pytest.mark.parametrize("journal", [True, False])
def test_prefixes_that_left_the_fleet_leave_orders_too(*, journal: bool) -> None:
    stage = Stage(four_pops(**QUICK))
    stage.pass_time(3)
    stage.lose_broker()
    stage.silent.add(MAD)
    stage.pass_time(2)
    stage.find_broker()
    stage.pass_time(3)
    mads = {"198.18.132.0/22", "198.18.132.0/23", "2001:db8:1804::/46", "2001:db8:1804::/47"}
    assert stage.ordered(FRA) >= mads
    anycast = {"198.19.254.0/24", "198.19.255.0/24"}
    assert stage.ordered(FRA) >= anycast
    assert any(stage.run.kept.values())
    without_mad(stage, journal=journal)
    stage.pass_time(10)
    assert not stage.ordered(FRA) & mads
    assert stage.ordered(FRA) >= anycast
    told = {p for mine in stage.run.kept.values() for each in mine for p in each.prefixes}
    assert not told & mads


def test_what_a_host_still_says_of_a_pop_that_left_is_not_ordered() -> None:
    fleet = three_pops(**QUICK)
    sent = tuple(
        Advertisement(prefix, "north")
        for prefix in ("198.18.132.0/23", "198.18.128.0/23", "198.18.128.0/17", "198.19.254.0/24")
    )
    mine = Kept(DeedKind.SPLIT, "south", 1.0, tuple(each.prefix for each in sent), sent)
    postures = {name: Posture() for name in fleet.pops}
    assert still_meant(fleet, FRA, (mine,), postures) == sent[1:]
