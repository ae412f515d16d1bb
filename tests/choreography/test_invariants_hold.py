"""The invariants, judged at every look of the stories that the controller is for.

The snapshots are what the agents of the stage really have on their wires and what its nameservers
really answer, not what the controller meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ambicast.invariants import (
    PopState,
    Snapshot,
    Stamp,
    Uplink,
    Violation,
    able_to_serve,
    dns_within_bgp,
    fail_static,
    last_one_stays,
    make_before_break,
    ordered_and_fenced,
)
from ambicast.model.identifiers import PopName
from tests.choreography.fleets import AMS, FRA, three_pops
from tests.choreography.stage import Stage

QUICK = {"ttl": 2.0, "tail": 1.0, "stagger": 3.0, "settle_down": 5.0, "shutdown_wait": 1.0}
LOOK = 0.1


class Watch:
    """Looks at the stage, and remembers which addresses clients may still hold."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._given_at: dict[str, float] = {}

    def snapshot(self) -> Snapshot:
        """The fleet as it is now."""
        stage = self._stage
        answers = {name: steering.answers for name, (_, steering) in stage.answers.items()}
        for services in answers.values():
            for groups in services.values():
                for addresses in groups.values():
                    self._given_at.update(dict.fromkeys(addresses, stage.now))
        keep = stage.fleet.timing.ttl + stage.fleet.timing.tail
        wires = {pop: frozenset(stage.wire(pop)) for pop in stage.fleet.pops}
        seen = {prefix for wire in wires.values() for prefix in wire}
        return Snapshot(
            pops={pop: self._pop(pop, wires[pop]) for pop in stage.fleet.pops},
            services={"www": frozenset(stage.fleet.service_addresses())},
            covering=frozenset(stage.fleet.covering),
            observed={p: frozenset(pop for pop in wires if p in wires[pop]) for p in seen},
            answers=answers,
            held=frozenset(a for a, at in self._given_at.items() if stage.now - at < keep),
            stamps={host: Stamp(s.epoch, s.generation) for host, (s, _) in stage.orders.items()},
            silent=stage.deaf,
        )

    def _pop(self, pop: PopName, wire: frozenset[str]) -> PopState:
        stage = self._stage
        order = stage.wires.get(stage.fleet.bgp_hosts(pop)[0])
        return PopState(
            alive=pop not in stage.silent,
            fit=frozenset() if pop in stage.unfit else frozenset({"www"}),
            terminated=frozenset(order.terminate) if order else frozenset(),
            uplinks={name: Uplink(advertised=wire) for name in stage.fleet.pops[pop].uplinks},
            allowed=wire,
        )


@pytest.fixture
def stage() -> Stage:
    """A settled fleet."""
    stage = Stage(three_pops(**QUICK))
    stage.pass_time(4)
    return stage


def watched(stage: Stage, seconds: float) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Each look and the one before it."""
    watch = Watch(stage)
    before = watch.snapshot()
    for _ in range(round(seconds / LOOK)):
        stage.pass_time(LOOK)
        after = watch.snapshot()
        yield before, after
        before = after


def found(before: Snapshot, after: Snapshot) -> list[Violation]:
    """All violations of a planned look."""
    judged = (
        dns_within_bgp(after),
        last_one_stays(before, after),
        make_before_break(before, after),
        able_to_serve(after),
        ordered_and_fenced(before, after),
    )
    return [each for each in judged if each is not None]


def drain(stage: Stage) -> None:
    stage.drain(AMS)


def drain_and_back(stage: Stage) -> None:
    stage.drain(AMS)
    stage.pass_time(15)
    stage.undrain(AMS)


def death_and_return(stage: Stage) -> None:
    stage.silent.add(AMS)
    stage.pass_time(10)
    stage.silent.clear()


def failure_and_return(stage: Stage) -> None:
    stage.unfit.add(FRA)
    stage.pass_time(10)
    stage.unfit.clear()


@pytest.mark.parametrize("story", [drain, drain_and_back, death_and_return, failure_and_return])
def test_a_planned_move_breaks_no_promise_at_any_look(
    stage: Stage, story: Callable[[Stage], None]
) -> None:
    story(stage)
    for before, after in watched(stage, 40):
        assert found(before, after) == []


@pytest.mark.parametrize("kind", ["silent", "unfit"])
def test_a_second_after_a_fault_every_answer_leads_to_somebody_who_serves(
    stage: Stage, kind: str
) -> None:
    getattr(stage, kind).add(AMS)
    stage.pass_time(1)
    for _, after in watched(stage, 10):
        assert dns_within_bgp(after) is None
        assert able_to_serve(after) is None


def test_silence_changes_nothing_at_any_look(stage: Stage) -> None:
    stage.deaf = True
    for before, after in watched(stage, 30):
        assert fail_static(before, after) is None


def test_while_no_controller_is_there_a_death_only_adds(stage: Stage) -> None:
    stage.lose_broker()
    stage.silent.add(AMS)
    for before, after in watched(stage, 10):
        assert fail_static(before, after) is None
        assert last_one_stays(before, after) is None
    assert "198.18.0.0/23" in stage.wire(FRA)


def test_the_last_fit_pop_that_fails_withdraws_nothing(stage: Stage) -> None:
    for pop in stage.fleet.pops:
        stage.unfit.add(pop)
        for before, after in watched(stage, 2):
            assert last_one_stays(before, after) is None
