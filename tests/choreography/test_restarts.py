"""A controller that dies at any moment goes on as if nothing had happened.

One history is played once; a copy of it is taken at every moment at which something was decided,
and the controller of that copy dies there.
"""

from __future__ import annotations

import pytest

from controller.choreography.phases import Phase
from controller.choreography.run import Happened, PublishOrder
from controller.choreography.step import step
from controller.world.belief import World, fold
from tests.choreography.fleets import AMS, FRA, LHR, three_pops
from tests.choreography.stage import Stage, restarted

QUICK = {"ttl": 1.0, "tail": 0.5, "stagger": 1.0, "settle_down": 2.0, "shutdown_wait": 0.5}
HALF = "198.18.0.0/23"
# A silent death, the return, a drain, and back: what the world does, at which second.
ACTS = {
    3.0: lambda stage: stage.silent.add(AMS),
    7.0: lambda stage: stage.silent.clear(),
    18.0: lambda stage: stage.drain(FRA),
    25.0: lambda stage: stage.undrain(FRA),
}
END = 40.0
LOOK = 0.25


def play(stage: Stage, moments: list[Stage] | None = None) -> Stage:
    """The rest of the history; copies of every moment with a decision go to ``moments``."""
    while stage.now < 1000.0 + END:
        act = ACTS.get(round(stage.now - 1000.0, 2))
        if act is not None:
            act(stage)
        said = len(stage.history)
        stage.pass_time(LOOK, every=LOOK)
        decided = any(
            isinstance(each, PublishOrder | Happened) for _, each in stage.history[said:]
        )
        if decided and moments is not None:
            moments.append(stage.fork())
    return stage


@pytest.fixture(scope="module")
def moments() -> list[Stage]:
    """Every moment of the history at which something was decided; the last is the end."""
    found: list[Stage] = []
    end = play(Stage(three_pops(**QUICK)), found)
    return [*found, end]


def test_the_history_ends_at_home(moments: list[Stage]) -> None:
    end = moments[-1]
    assert {pop.phase for pop in end.run.pops.values()} == {Phase.HOME}
    assert end.wire(AMS) >= {HALF}
    assert HALF not in end.wire(FRA) | end.wire(LHR)
    assert len(moments) >= 18


def test_a_crash_at_any_step_ends_the_same(moments: list[Stage]) -> None:
    *crashes, whole = moments
    for moment in crashes:
        stage = moment.fork()
        restarted(stage, stage.run)
        play(stage)
        assert outcome(stage) == outcome(whole), f"crash at {moment.now - 1000:.2f} s"


def outcome(stage: Stage) -> tuple[object, ...]:
    """Phases, what everybody advertises, what DNS answers."""
    orders = {host: order.advertisements for host, (_, order) in stage.orders.items()}
    return {n: p.phase for n, p in stage.run.pops.items()}, orders, stage.given()


def test_epochs_and_generations_only_grow(moments: list[Stage]) -> None:
    stage = moments[len(moments) // 2].fork()
    restarted(stage, stage.run)
    stage.pass_time(5)
    seen: dict[str, object] = {}
    for _, command in stage.history:
        if isinstance(command, PublishOrder):
            held = seen.get(command.host)
            assert held is None or held < command.stamp
            seen[command.host] = command.stamp


def test_a_drain_survives_a_restart() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(3)
    stage.drain(AMS)
    stage.pass_time(6)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    restarted(stage, stage.run)
    stage.pass_time(10)
    assert stage.run.pops[AMS].phase is Phase.DRAINED
    assert stage.wire(AMS) == set()


def test_a_controller_without_memory_does_not_tidy_up_a_takeover() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(3)
    stage.silent.add(AMS)
    stage.pass_time(3)
    restarted(stage, None)
    stage.pass_time(10)
    assert stage.wire(FRA) >= {HALF}
    assert stage.wire(LHR) >= {HALF}
    assert stage.run.pops[AMS].phase is Phase.TAKEN_OVER


def test_replaying_what_was_learned_repeats_every_decision() -> None:
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(3)
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
