"""The agent's loop with ports that write down what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from agents import loop as loop_module
from agents.advertising.observations import (
    BgpSeen,
    KernelSeen,
    OrderArrived,
    OrderUnreadable,
    ServiceChecked,
    Tick,
)
from agents.advertising.state import HostState
from agents.loop import ASKING, REPORT_EVERY, Agent, Ports, turn
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome
from tests.agents_advertising.hosts import (
    ANYCAST,
    FACTS,
    OWN,
    TERMINATE,
    Host,
    adverts,
    order,
    stamp,
    watched,
)

CARRIER = {"north": True, "south": True}


class Diary:
    """Every port at once; ``pages`` are (port, what, arguments) in the order of the calls."""

    def __init__(self):
        self.pages = []

    def _write(self, port, what):
        return lambda *arguments: self.pages.append((port, what, arguments))

    def __getattr__(self, name):
        return self._write("bus", name)

    def port(self, name, *words):
        return type(name, (), {word: staticmethod(self._write(name, word)) for word in words})()

    def read(self, port, what=None):
        return [args for p, w, args in self.pages if p == port and what in {None, w}]

    def kinds(self):
        return [(port, what) for port, what, _ in self.pages]


@pytest.fixture
def diary():
    return Diary()


@pytest.fixture
def ports(diary):
    bgp = diary.port("bgp", "want")
    type(bgp).guard = staticmethod(diary.port("heart", "guard").guard)
    return Ports(
        bus=diary,
        orders=diary.port("orders", "keep"),
        bgp=bgp,
        kernel=diary.port("kernel", "want"),
        watch=diary.port("watch", "observe", "declare"),
    )


def agent_of(ports, state: HostState, now=lambda: 1000.0):
    return Agent(FACTS, ports, now, state)


def steps(agent: Agent, observations: Iterable[object]):
    for each in observations:
        agent.step(each)


@pytest.fixture
def agent(diary, ports):
    """A healthy host that has told everybody; the diary is empty again."""
    agent = agent_of(ports, Host.healthy(OWN, ANYCAST).state)
    agent.step(Tick())
    agent.publish()
    diary.pages.clear()
    return agent


def test_a_service_that_fails_is_withdrawn_before_anything_is_said(agent, diary):
    steps(agent, [ServiceChecked("www", fit=False), ServiceChecked("video", fit=False)])
    agent.publish()
    kinds = diary.kinds()
    assert kinds[0] == ("bgp", "want")
    assert diary.read("bgp")[-1] == (frozenset(),)
    assert kinds.index(("bgp", "want")) < kinds.index(("bus", "publish_report"))
    (told,) = diary.read("bus", "publish_report")[-1]
    assert [each.fit for each in told.services] == [False, False]


def test_an_order_is_followed_then_kept_then_answered(agent, diary):
    agent.step(OrderArrived(stamp(2), order(ANYCAST)))
    kinds = [kind for kind in diary.kinds() if kind[0] in {"bgp", "orders", "bus"}]
    assert kinds == [("bgp", "want"), ("orders", "keep"), ("bus", "publish_receipt")]
    assert diary.read("bgp")[-1] == (frozenset(adverts(ANYCAST)),)
    by, body = diary.read("bus", "publish_receipt")[0]
    assert (by, body.outcome) == (stamp(2), Outcome.ACCEPTED)


def test_an_order_that_breaks_the_decision_is_refused_and_changes_nothing(
    agent, diary, monkeypatch
):
    def broken(*_):
        raise ZeroDivisionError("a fault of ours")

    before = agent.state
    monkeypatch.setattr(loop_module, "turn", broken)
    agent.step(OrderArrived(stamp(2), order(ANYCAST)))
    assert agent.state is before
    assert diary.kinds() == [("bus", "publish_receipt")]
    by, body = diary.read("bus", "publish_receipt")[0]
    assert (by, body.outcome) == (stamp(2), Outcome.REFUSED)


def test_the_receipt_is_repeated_whenever_the_wire_changes(agent, diary):
    agent.step(OrderArrived(stamp(2), order(ANYCAST)))
    diary.pages.clear()
    for wire in (adverts(OWN), adverts(OWN), adverts(ANYCAST), adverts(ANYCAST)):
        agent.step(BgpSeen(attached=True, rib=frozenset(adverts(ANYCAST)), wire=frozenset(wire)))
    wires = [body.wire for by, body in diary.read("bus", "publish_receipt") if by == stamp(2)]
    assert wires == [adverts(OWN), adverts(ANYCAST)]


def test_a_repeated_order_is_answered_and_kept_no_second_time(agent, diary):
    agent.step(OrderArrived(stamp(1), order(OWN, ANYCAST)))
    assert diary.read("orders") == []
    assert diary.read("bgp") == []
    ((by, body),) = diary.read("bus", "publish_receipt")
    assert (by, body.outcome) == (stamp(1), Outcome.ACCEPTED)


@pytest.mark.parametrize(
    ("bad", "by"),
    [
        (OrderArrived(stamp(0), order()), stamp(0)),
        (OrderArrived(stamp(2), order("192.0.2.0/24")), stamp(2)),
        (OrderUnreadable("version 9; this reader knows 1"), Stamp()),
    ],
    ids=["stale", "forbidden", "unreadable"],
)
def test_every_order_gets_a_receipt_and_a_bad_one_does_nothing_else(agent, diary, bad, by):
    agent.step(bad)
    ((stamped, body),) = diary.read("bus", "publish_receipt")
    assert (stamped, body.outcome) == (by, Outcome.REFUSED)
    assert body.refusals
    assert set(body.wire) == set(adverts(OWN, ANYCAST))
    assert {port for port, _ in diary.kinds()} <= {"bus", "watch"}


def test_a_tick_hands_over_everything_again(agent, diary):
    agent.step(Tick())
    assert diary.read("bgp") == [(frozenset(adverts(OWN, ANYCAST)),)]
    assert len(diary.read("kernel")) == 1


def test_the_watcher_declares_fit_services_and_observes_what_is_ordered(agent, diary):
    agent.step(OrderArrived(stamp(2), order(OWN, observe=(ANYCAST,))))
    agent.step(ServiceChecked("video", fit=False))
    assert diary.read("watch", "observe")[-1] == (frozenset({ANYCAST}),)
    assert diary.read("watch", "declare")[-1] == (frozenset({"www"}), frozenset(), frozenset())


def test_the_bus_reconnects_when_answers_leave_by_another_uplink(agent, diary):
    addresses = agent.state.kernel.terminated
    north = {"v4": "north", "v6": "north"}
    agent.step(KernelSeen(addresses, CARRIER, north))
    assert diary.read("bus", "reconnect") == []
    agent.step(KernelSeen(addresses, CARRIER, {**north, "v4": "south"}))
    assert diary.read("bus", "reconnect") == [(frozenset({"v4"}),)]


def test_a_state_that_did_not_change_is_not_reported_again_until_it_is_due(ports, diary):
    now = [1000.0]
    agent = agent_of(ports, Host.healthy(OWN).state, lambda: now[0])
    for _ in range(3):
        agent.step(watched())
        agent.publish()
    assert len(diary.read("bus", "publish_report")) == 1
    assert len(diary.read("bus", "publish_sightings")) == 1
    now[0] += REPORT_EVERY
    agent.publish()
    assert len(diary.read("bus", "publish_report")) == 2


def test_an_observation_that_cannot_be_digested_is_dropped(agent):
    before = agent.state
    agent.step(BgpSeen(attached=True, rib=5))
    assert agent.state == before


def test_a_turn_has_no_effect():
    state = Host.healthy(OWN).state
    again = OrderArrived(stamp(2), order(ANYCAST))
    assert turn(state, again, FACTS, 1.0) == turn(state, again, FACTS, 1.0)


def test_a_host_without_bgp_only_reports(diary):
    ports = Ports(bus=diary, orders=diary.port("orders", "keep"))
    agent = agent_of(ports, HostState())
    steps(agent, [Tick(), OrderArrived(stamp(1), order(terminate=TERMINATE))])
    agent.publish()
    assert {port for port, _ in diary.kinds()} == {"bus", "orders"}


@pytest.mark.looptime
async def test_a_burst_makes_one_report_and_silence_makes_one_every_five_seconds(ports, diary):
    loop = asyncio.get_running_loop()
    agent = agent_of(ports, Host.healthy(OWN).state, loop.time)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(agent.run(), name="agent")
        await asyncio.sleep(0.5)
        diary.pages.clear()
        for number in range(20):
            agent.tell(ServiceChecked("www", fit=bool(number % 2)))
        agent.tell(ServiceChecked("www", fit=False))
        await asyncio.sleep(0.01)
        assert len(diary.read("bus", "publish_report")) == 1
        await asyncio.sleep(2 * REPORT_EVERY + 2.5)
        assert len(diary.read("bus", "publish_report")) == 3
        running.cancel()


@pytest.mark.looptime
async def test_what_exabgp_holds_is_asked_before_anything_is_reported(ports, diary):
    """An agent that was just started anew knows no wire, while ExaBGP goes on."""
    loop = asyncio.get_running_loop()
    for answers in (True, False):
        diary.pages.clear()
        healthy = Host.healthy(OWN).state
        unasked = msgspec.structs.replace(healthy, bgp=None, rib=None)
        agent = agent_of(ports, unasked, loop.time)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(agent.run(), name="agent")
            agent.tell(ServiceChecked("www", fit=True))
            await asyncio.sleep(0.3)
            assert diary.read("bus", "publish_report") == []
            if answers:
                agent.tell(healthy.bgp)
                await asyncio.sleep(0.01)
                assert diary.read("bus", "publish_report")[0][0].wire
            else:
                await asyncio.sleep(ASKING)
                assert not diary.read("bus", "publish_report")[0][0].wire
            running.cancel()


@pytest.mark.looptime
async def test_a_report_is_due_after_five_seconds_not_at_the_tick_that_follows(ports, diary):
    loop = asyncio.get_running_loop()
    agent = agent_of(ports, Host.healthy(OWN).state, loop.time)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(agent.run(), name="agent")
        await asyncio.sleep(0.7)
        agent.tell(ServiceChecked("www", fit=False))
        await asyncio.sleep(0.4)
        agent.tell(Tick())
        diary.pages.clear()
        await asyncio.sleep(REPORT_EVERY - 0.35)
        assert len(diary.read("bus", "publish_report")) == 1
        running.cancel()


def test_the_heart_beats_every_second_whatever_happens_and_however_much(ports, diary):
    now = 1000.0
    agent = agent_of(ports, HostState(), lambda: now)
    for _ in range(12):
        steps(agent, [Tick()])
        now += 0.25
    assert len(diary.read("heart")) == 3


def test_a_loop_whose_turns_all_fail_has_no_heartbeat(ports, diary, monkeypatch):
    monkeypatch.setattr("agents.loop.fold", None)
    steps(agent_of(ports, HostState()), [Tick()])
    assert diary.read("heart") == []


def test_what_a_watch_saw_before_it_went_down_is_not_told_again(ports, diary):
    now = [1000.0]
    agent = agent_of(ports, Host.healthy(OWN).state, lambda: now[0])
    agent.step(watched())
    agent.publish()
    now[0] += 1.5
    agent.publish()
    assert len(diary.read("bus", "publish_sightings")) == 2
    for _ in range(5):
        now[0] += 1.5
        agent.publish()
    assert len(diary.read("bus", "publish_sightings")) == 2
    agent.step(watched())
    agent.publish()
    assert len(diary.read("bus", "publish_sightings")) == 3
