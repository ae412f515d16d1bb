"""What agents did by themselves is adopted: a controller that returns only ever adds."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from ambicast.contract.messages import Deed, DeedKind
from ambicast.model.identifiers import Family, PopName
from ambicast.model.prefixes import contains, split
from ambicast.model.routes import Advertisement
from controller.choreography.phases import Phase
from controller.choreography.run import Run
from tests.choreography.fleets import AMS, FRA, LHR, MAD, four_pops, three_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 1.0, "tail": 0.5, "stagger": 1.0, "settle_down": 3.0, "shutdown_wait": 0.5}
OWN = {"198.18.0.0/22", "2001:db8:1000::/46"}
HALVES = {"198.18.0.0/23", "198.18.2.0/23", "2001:db8:1000::/47", "2001:db8:1002::/47"}
QUARTERS = {"198.18.0.0/24", "198.18.3.0/24", "2001:db8:1000::/48", "2001:db8:1003::/48"}
ANYCAST_HALVES = {"198.19.254.0/24", "198.19.255.0/24", "2001:db8:a::/48", "2001:db8:b::/48"}

Return = Callable[[Stage, Run], None]


def goes_on(stage: Stage, _: Run) -> None:
    """The controller never died; it only did not hear anything."""


def with_journal(stage: Stage, _: Run) -> None:
    restarted(stage, stage.run)


def without_journal(stage: Stage, _: Run) -> None:
    restarted(stage, None)


def with_an_old_journal(stage: Stage, old: Run) -> None:
    restarted(stage, old)


# Half seconds after which nobody orders: before a death, after it, in the return, at home.
MOMENTS = (0, 2, 3, 4, 6, 8, 9, 11, 14, 18, 23)
RETURNS = [goes_on, with_journal, without_journal, with_an_old_journal]


@pytest.fixture
def stage() -> Stage:
    """A settled fleet of three."""
    return settled(Stage(three_pops(**QUICK)))


def settled(stage: Stage) -> Stage:
    stage.pass_time(3)
    return stage


def routes(stage: Stage, pop: PopName) -> set[tuple[str, str]]:
    hosts = stage.fleet.bgp_hosts(pop)
    return {(each.prefix, each.uplink) for host in hosts for each in stage._sent(pop, host)}


def only_adds(
    stage: Stage, seconds: float, every: float = 0.1, *, parts_will_do: bool = False
) -> None:
    """Whatever is on a wire at any look is on it at the next, or (``parts_will_do``) its parts."""
    before = {pop: routes(stage, pop) for pop in stage.fleet.pops}
    for _ in range(round(seconds / every)):
        stage.pass_time(every, every=every)
        for pop, had in before.items():
            lost = had - routes(stage, pop)
            if parts_will_do:
                lost = {each for each in lost if not _in_parts(each, routes(stage, pop))}
            assert not lost, f"{pop} lost {sorted(lost)} at {stage.now - 1000:.1f} s"
            before[pop] = routes(stage, pop)


def comes_home(stage: Stage, pop: PopName = AMS) -> None:
    """The lost PoP returns, and nothing that hosts did by themselves is left behind."""
    stage.silent.clear()
    stage.half.clear()
    stage.pass_time(40, every=0.25)
    assert {each.phase for each in stage.run.pops.values()} == {Phase.HOME}
    own = set(stage.fleet.pops[pop].prefixes)
    for other in set(stage.fleet.pops) - {pop}:
        assert not any(_inside(prefix, own) for prefix in stage.wire(other))
    assert not any(stage.alone.deeds.values())


def _inside(prefix: str, own: set[str]) -> bool:
    return any(contains(whole, prefix) for whole in own)


def _in_parts(route: tuple[str, str], wire: set[tuple[str, str]]) -> bool:
    parts = split(route[0], 1)
    return bool(parts) and all((part, route[1]) in wire for part in parts)


@pytest.mark.parametrize("comes_back", RETURNS)
def test_a_pop_covered_by_contingency_is_taken_over_as_it_stands(
    stage: Stage, comes_back: Return
) -> None:
    old = stage.run
    stage.lose_broker()
    stage.silent.add(AMS)
    stage.pass_time(5)
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= OWN | HALVES | ANYCAST_HALVES
    stage.find_broker()
    comes_back(stage, old)
    only_adds(stage, 6)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    assert set(stage.run.pops[AMS].posture.helpers) == {FRA, LHR}
    assert "198.18.0.10" not in stage.given().values()
    assert stage.run.anycast_depth == 1
    assert not any(stage.alone.deeds.values())
    comes_home(stage)


@pytest.mark.parametrize("comes_back", RETURNS)
def test_a_pop_that_is_back_before_the_controller_goes_home_by_plan(
    stage: Stage, comes_back: Return
) -> None:
    old = stage.run
    stage.lose_broker()
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.silent.clear()
    stage.pass_time(2)
    stage.find_broker()
    comes_back(stage, old)
    only_adds(stage, 2.5)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    comes_home(stage)


@pytest.mark.parametrize("comes_back", RETURNS)
def test_one_host_alone_that_acted_is_joined_by_the_table_s_helpers(
    stage: Stage, comes_back: Return
) -> None:
    old = stage.run
    stage.lose_broker()
    stage.silent.add(AMS)
    fra = stage.fleet.bgp_hosts(FRA)[0]
    plan = next(each for each in stage.orders[fra][1].when_lost if each.lost == AMS)
    stage.alone._do(fra, DeedKind.COVER, AMS, list(plan.prefixes), ["north", "south"])
    stage.find_broker()
    comes_back(stage, old)
    only_adds(stage, 2.5)
    assert stage.wire(LHR) >= OWN | HALVES
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER


@pytest.mark.parametrize("comes_back", RETURNS)
def test_one_family_covered_by_contingency_stays_one_family(
    stage: Stage, comes_back: Return
) -> None:
    old = stage.run
    stage.lose_broker()
    stage.half.add((AMS, Family.V6))
    stage.pass_time(2)
    stage.find_broker()
    comes_back(stage, old)
    only_adds(stage, 3)
    assert stage.run.pops[AMS].posture.families == (Family.V6,)
    assert "198.18.0.0/22" not in stage.wire(FRA)
    assert stage.given()["c1"] == "198.18.0.10"
    comes_home(stage)


@pytest.mark.parametrize("comes_back", RETURNS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_at_every_moment_of_a_history_a_returning_controller_only_adds(
    moment: int, comes_back: Return
) -> None:
    """A takeover, half a return, a second death while nobody orders."""
    stage = settled(Stage(four_pops(**QUICK)))
    old = stage.run
    for act in range(moment):
        if act == 2:
            stage.silent.add(AMS)
        elif act == 8:
            stage.silent.discard(AMS)
        stage.pass_time(0.5)
    stage.lose_broker()
    stage.silent.add(MAD)
    stage.pass_time(1.5)
    stage.find_broker()
    comes_back(stage, old)
    if moment <= 8 or comes_back in {without_journal, with_an_old_journal}:
        # Else a controller that remembers goes on with the return of AMS, as planned.
        # MAD had taken over from AMS: what it left behind of that is beaten by its parts.
        only_adds(stage, 2.5, parts_will_do=True)
    own = set(stage.fleet.pops[MAD].prefixes)
    stage.pass_time(3)
    assert stage.run.pops[MAD].phase is Phase.TAKEN_OVER
    for pop in (FRA, LHR):
        assert stage.wire(pop) >= own
    stage.silent.clear()
    stage.pass_time(60, every=0.5)
    assert {each.phase for each in stage.run.pops.values()} == {Phase.HOME}


def test_a_deed_adopted_once_is_no_news_for_ever(stage: Stage) -> None:
    # The agent at fra dies right after its deed: its report stands, its wire too, its PoP lives.
    stage.lose_broker()
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.find_broker()
    fra = stage.fleet.bgp_hosts(FRA)[0]
    held = dict(stage.alone.deeds[fra])
    stage.alone.accepted = lambda *_: None  # type: ignore[method-assign]
    stage.pass_time(2)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    stage.silent.clear()
    phases = set()
    for _ in range(160):
        stage.pass_time(0.25, every=0.25)
        phases.add(stage.run.pops[AMS].phase)
    assert stage.alone.deeds[fra] == held
    kinds = [each.text for each in stage.happened("pop.lost")]
    assert len(kinds) == 1, kinds


def test_the_first_contingency_beats_what_the_lost_one_had_latched(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.silent.clear()
    stage.pass_time(40, every=0.25)
    assert stage.wire(AMS) >= HALVES
    stage.lose_broker()
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert stage.wire(FRA) >= OWN | QUARTERS
    stage.find_broker()
    only_adds(stage, 2)
    assert stage.run.pops[AMS].posture.depth == 2


@pytest.mark.parametrize("comes_back", RETURNS)
def test_halves_around_a_silent_uplink_are_kept_off_that_uplink(
    stage: Stage, comes_back: Return
) -> None:
    old = stage.run
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1)
    v4 = {prefix for prefix in HALVES if "." in prefix}
    assert {(each, "south") for each in v4} <= routes(stage, AMS)
    comes_back(stage, old)
    only_adds(stage, 3)
    assert not {(each, "north") for each in v4} & routes(stage, AMS)
    assert not any(stage.alone.deeds.values())
    assert stage.run.pops[AMS].phase is Phase.HOME
    assert "198.18.0.10" in stage.given().values()


def test_when_the_uplink_works_again_it_gets_the_halves_too(stage: Stage) -> None:
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1)
    stage.alone.dull.clear()
    only_adds(stage, 2)
    assert ("198.18.0.0/23", "north") not in routes(stage, AMS)
    only_adds(stage, 4)
    assert ("198.18.0.0/23", "north") in routes(stage, AMS)
    assert ("2001:db8:1000::/47", "north") not in routes(stage, AMS)


def test_an_uplink_mended_over_latched_halves_withdraws_none_of_them(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    stage.silent.clear()
    stage.pass_time(40, every=0.25)
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1)
    assert {("198.18.0.0/23", "south"), ("198.18.0.0/24", "south")} <= routes(stage, AMS)
    stage.alone.dull.clear()
    only_adds(stage, 10)
    v4 = {(each, "north") for each in HALVES | QUARTERS if "." in each}
    assert v4 <= routes(stage, AMS)
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert "198.18.0.0/24" in stage.wire(FRA)


def test_a_death_after_a_split_goes_deeper_than_the_split(stage: Stage) -> None:
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1)
    stage.silent.add(AMS)
    stage.pass_time(1)
    assert stage.wire(FRA) >= {"198.18.0.0/24", "198.18.3.0/24", "2001:db8:1000::/47"}


def test_a_drained_pop_keeps_nothing(stage: Stage) -> None:
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1)
    stage.alone.dull.clear()
    stage.drain(AMS)
    stage.pass_time(15)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()


def test_anycast_goes_one_rung_deeper_around_a_silent_uplink(stage: Stage) -> None:
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1)
    for pop in (AMS, FRA, LHR):
        assert stage.wire(pop) >= {"198.19.254.0/24", "198.19.255.0/24"}
        assert "2001:db8:a::/48" not in stage.wire(pop)
    sent = dict(stage.orders)
    stage.pass_time(3)
    assert stage.orders == sent
    stage.alone.dull.clear()
    stage.pass_time(10)
    assert "198.19.254.0/24" in stage.wire(LHR)


def test_a_gap_on_an_uplink_moves_nothing(stage: Stage) -> None:
    sent = dict(stage.orders)
    stage.alone._split = lambda *_: None  # type: ignore[method-assign]
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(1.5)  # the word that it is over comes late: the uplink is lossy
    stage.alone.dull.clear()
    stage.pass_time(3)
    assert stage.orders == sent
    # An agent that does not split by itself is believed after two seconds.
    stage.alone.dull.add((AMS, "north", Family.V4))
    stage.pass_time(2.5)
    assert "198.19.254.0/24" in stage.wire(LHR)


def test_all_uplinks_silent_are_no_uplink_s_fault(stage: Stage) -> None:
    sent = dict(stage.orders)
    stage.alone._split = lambda *_: None  # type: ignore[method-assign]
    stage.alone.dull |= {(AMS, uplink, Family.V4) for uplink in ("north", "south")}
    stage.pass_time(3)
    assert stage.orders == sent


def test_what_was_added_for_a_host_beside_is_its_agent_s_affair(stage: Stage) -> None:
    ams = stage.fleet.bgp_hosts(AMS)[0]
    deed = Deed(kind=DeedKind.SPLIT, about=ams, prefixes=("198.18.0.0/23",), since=1.0)
    stage.alone.deeds[ams] = {"split": (deed, (Advertisement("198.18.0.0/23", "north"),))}
    sent = dict(stage.orders)
    stage.pass_time(3)
    assert stage.orders == sent
    assert stage.run.kept == {}


def test_a_journal_of_before_these_fields_is_loaded(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(2)
    raw = msgspec.json.decode(msgspec.json.encode(stage.run))
    new = {"anycast", "assignments", "shares", "armed", "keepers", "kept", "silent_ways"}
    new.add("ignored")
    old = {name: value for name, value in raw.items() if name not in new}
    for pop in old["pops"].values():
        for name in (
            "silent_since",
            "resisting_since",
            "lost_at",
            "shed",
            "shed_at",
            "calm_since",
        ):
            pop.pop(name, None)
        for posture in (
            pop["posture"],
            *(s["posture"] for s in (pop["plan"] or {}).get("steps", ())),
        ):
            for name in ("families", "splits", "depths"):
                posture.pop(name, None)
    old["assignment"] = {"pops": {}, "load": {}, "overloaded": []}
    restarted(stage, msgspec.convert(old, Run))
    only_adds(stage, 3)
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER
    comes_home(stage)
