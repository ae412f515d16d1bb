"""A frozen agent whose dead man's switch fired: what the switch spared is beaten, not ordered."""

from __future__ import annotations

from ambicast.contract.messages import Said
from controller.choreography.phases import Phase
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage

ANYCAST_HALVES = {"198.19.254.0/24", "198.19.255.0/24", "2001:db8:a::/48", "2001:db8:b::/48"}


def test_what_a_keepers_switch_may_not_withdraw_is_overridden_by_all_others() -> None:
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(3)
    stage.cut.add(AMS)  # its agent is silent; its routes stand
    stage.said[AMS] = Said(pop="ams", host="ams-1", voice=False, switched=True)
    stage.pass_time(1)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= ANYCAST_HALVES | {"198.18.0.0/22", "198.18.0.0/23"}
    assert "198.18.0.10" not in stage.given().values()


def test_it_comes_back_by_a_planned_return_when_its_agent_does() -> None:
    stage = Stage(three_pops(ttl=2, tail=1, stagger=3, settle_down=5, shutdown_wait=1))
    stage.pass_time(3)
    stage.cut.add(AMS)
    stage.said[AMS] = Said(pop="ams", host="ams-1", voice=False, switched=True)
    stage.pass_time(3)
    stage.cut.clear()
    stage.said.clear()
    stage.pass_time(60, every=0.25)
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert "198.18.0.10" in stage.given().values()
