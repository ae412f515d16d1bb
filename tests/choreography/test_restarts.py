"""A controller that dies at any moment goes on as if nothing had happened."""

from __future__ import annotations

import pytest

from controller.choreography.phases import Phase
from controller.choreography.run import PublishOrder
from controller.choreography.step import step
from controller.world.belief import World, fold
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}
HALF = "198.18.0.0/23"


def history(crash_at: float | None, *, forgetful: bool = False) -> Stage:
    """A silent death, the return, a drain; a crash of the controller at one moment."""
    stage = Stage(three_pops(**QUICK))
    acts = {
        5.0: lambda: stage.silent.add(AMS),
        15.0: stage.silent.clear,
        60.0: lambda: stage.drain(FRA),
        75.0: lambda: stage.undrain(FRA),
    }
    while stage.now < 1110.0:
        passed = round(stage.now - 1000.0, 1)
        if passed in acts:
            acts[passed]()
        if crash_at is not None and abs(passed - crash_at) < 0.05:
            restarted(stage, None if forgetful else stage.run)
        stage.pass_time(0.1)
    return stage


@pytest.fixture(scope="module")
def whole() -> Stage:
    """The same history without a crash."""
    return history(None)


def test_the_history_ends_at_home(whole: Stage) -> None:
    assert {pop.phase for pop in whole.run.pops.values()} == {Phase.HOME}
    assert whole.wire(AMS) >= {HALF}
    assert HALF not in whole.wire(FRA) | whole.wire(LHR)


@pytest.mark.parametrize(
    "crash_at", [1.0, 5.1, 5.2, 10.0, 15.1, 20.2, 20.3, 23.4, 26.6, 30.0, 60.1, 61.5, 63.2, 64.5, 76.0, 80.0]
)
def test_a_crash_at_any_step_ends_the_same(whole: Stage, crash_at: float) -> None:
    crashed = history(crash_at)
    assert {n: p.phase for n, p in crashed.run.pops.items()} == {
        n: p.phase for n, p in whole.run.pops.items()
    }
    assert {h: o.advertisements for h, (_, o) in crashed.orders.items()} == {
        h: o.advertisements for h, (_, o) in whole.orders.items()
    }
    assert crashed.given() == whole.given()


def test_epochs_and_generations_only_grow() -> None:
    stage = history(10.0)
    seen: dict[str, object] = {}
    for _, command in stage.history:
        if isinstance(command, PublishOrder):
            held = seen.get(command.host)
            assert held is None or held < command.stamp
            seen[command.host] = command.stamp


def test_a_controller_without_memory_does_not_tidy_up_a_takeover() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(5)
    stage.silent.add(AMS)
    stage.pass_time(5)
    restarted(stage, None)
    stage.pass_time(30)
    assert stage.wire(FRA) >= {HALF}
    assert stage.wire(LHR) >= {HALF}
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER


def test_replaying_what_was_learned_repeats_every_decision() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(5)
    stage.silent.add(AMS)
    stage.pass_time(3)
    first = Stage(three_pops(**QUICK), connected=False)
    world, run, commands = World(began_at=1000.0), first.run, []
    looks = sorted({at for at, _ in stage.history})
    learned = list(stage.learned)
    for now in looks:
        while learned and learned[0][0] <= now:
            at, observation = learned.pop(0)
            world = fold(world, observation, at)
        run, done = step(run, world, stage.fleet, now)
        commands += [(now, each) for each in done]
    published = [each for each in stage.history if isinstance(each[1], PublishOrder)]
    assert [each for each in commands if isinstance(each[1], PublishOrder)] == published
    assert len(published) == 6
