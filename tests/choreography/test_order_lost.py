"""A host that says it holds no order is sent its order once more, and never in a loop."""

from __future__ import annotations

import msgspec
import pytest

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome, Receipt, Report
from ambicast.model.identifiers import HostName, PopName
from controller.choreography.reissue import EPISODE, PATIENCE
from controller.choreography.run import PublishOrder
from controller.world.observations import HostAnswered
from tests.choreography.fleets import FRA, three_pops
from tests.choreography.stage import Stage, restarted

HOST = HostName("fra-1")


class Forgetful(Stage):
    """Hosts in ``without`` set the order they had aside: they refuse it, and hold none."""

    def __init__(self) -> None:
        self.without: dict[HostName, Stamp] = {}
        super().__init__(three_pops())

    def set_aside(self) -> None:
        """fra-1 crashed too often: whatever it was sent last, it will not try again."""
        self.without[HOST] = self.orders[HOST][0]

    def _report(self, pop: PopName, host: HostName) -> Report:
        found = super()._report(pop, host)
        sent = self.orders.get(host)
        if sent is None or self.without.get(host) != sent[0]:
            return found
        return msgspec.structs.replace(found, order_epoch=0, order_generation=0)

    def report(self) -> None:
        """Agents repeat themselves."""
        self._told.clear()
        super().report()

    def refuse(self) -> None:
        """It answers what lies on its order topic, as at every connect."""
        receipt = Receipt(outcome=Outcome.REFUSED, refusals=("send a newer order",))
        self.learn(HostAnswered(FRA, HOST, self.without[HOST], receipt))

    def sent(self) -> list[PublishOrder]:
        """Every order to fra-1 so far."""
        published = (each for _, each in self.history if isinstance(each, PublishOrder))
        return [each for each in published if each.host == HOST]


@pytest.fixture
def stage() -> Forgetful:
    stage = Forgetful()
    stage.pass_time(4)
    assert len(stage.sent()) == 1
    return stage


def test_who_refused_our_order_and_holds_none_gets_it_at_once_under_a_new_stamp(
    stage: Forgetful,
) -> None:
    stage.set_aside()
    stage.refuse()
    stage.pass_time(0.2)
    first, again = stage.sent()
    assert again.stamp > first.stamp
    assert again.order == first.order
    assert [each.pop for each in stage.happened("order.again")] == [FRA]
    stage.pass_time(30, every=1)
    assert len(stage.sent()) == 2


def test_who_answers_nothing_gets_it_after_a_moment(stage: Forgetful) -> None:
    # Somebody emptied its order topic.
    stage.set_aside()
    stage.pass_time(PATIENCE - 1)
    assert len(stage.sent()) == 1
    stage.pass_time(3)
    assert len(stage.sent()) == 2


def test_who_refuses_it_again_is_left_alone(stage: Forgetful) -> None:
    for _ in range(5):
        stage.set_aside()
        stage.refuse()
        stage.pass_time(20, every=1)
    assert len(stage.sent()) == 2
    assert len(stage.happened("order.again")) == 1


def test_who_crashes_with_it_again_and_again_is_in_the_same_episode(stage: Forgetful) -> None:
    for _ in range(4):
        stage.set_aside()
        stage.refuse()
        stage.pass_time(1)
        stage.without.clear()
        stage.pass_time(20, every=2)
    assert len(stage.sent()) == 2


def test_who_has_held_it_for_long_gets_it_again_when_it_is_lost_again(stage: Forgetful) -> None:
    stage.set_aside()
    stage.refuse()
    stage.pass_time(1)
    stage.now += EPISODE
    stage.pass_time(2, every=1)
    stage.set_aside()
    stage.refuse()
    stage.pass_time(2)
    assert len(stage.sent()) == 3


def test_a_restart_of_the_controller_begins_no_new_episode(stage: Forgetful) -> None:
    stage.set_aside()
    stage.refuse()
    stage.pass_time(1)
    restarted(stage, stage.run)
    stage.pass_time(3)
    assert len(stage.sent()) == 3  # of a new epoch, like everybody's
    stage.set_aside()
    stage.refuse()
    stage.pass_time(10, every=1)
    assert len(stage.sent()) == 3


def test_the_last_word_of_a_dead_host_is_no_news(stage: Forgetful) -> None:
    stage.set_aside()
    stage.pass_time(0.1)
    stage.silent.add(FRA)
    stage.pass_time(20, every=1)
    assert stage.happened("order.again") == []
