"""What an operator reads: who answers, what is in force, what is on the wire."""

from agents.advertising.accept import Held
from agents.advertising.desire import Desired, Why
from agents.advertising.observations import Tick
from agents.advertising.orderless import REASON
from agents.advertising.state import HostState, fold
from agents.brake.showing import lines
from agents.brake.status import Agent, Status, running
from ambicast.contract.messages import Brake, BrakeKind
from ambicast.model.routes import Advertisement, Attributes
from tests.agents_advertising.hosts import FACTS, OWN, Host, adverts, order, stamp


def shown(status):
    return "\n".join(lines(status))


def test_a_running_agent_shows_its_order_and_that_the_broker_is_lost():
    state = fold(HostState(held=Held(stamp(4), order(OWN))), Tick(), FACTS, 0.0)
    withheld = Desired(None, None, {}, {OWN: Why.UNFIT})
    text = shown(running(state, withheld, FACTS, 100.0))
    assert "agent        running" in text
    assert f"epoch {stamp(4).epoch}, generation {stamp(4).generation}" in text
    assert f"{OWN} through" in text
    assert "broker       LOST: nothing changes" in text
    assert "controller   AWAY: nothing changes" in text
    assert f"withheld     {OWN}: its services are unfit" in text
    assert "on the wire  not known" in text


def test_one_path_is_one_line_with_all_its_uplinks():
    wire = (
        Advertisement("198.18.0.0/22", "north"),
        Advertisement("198.18.0.0/22", "south"),
        Advertisement("198.19.254.0/23", "north", Attributes(prepend=3)),
    )
    brake = Brake(kind=BrakeKind.HOLD, reason="I look into it")
    text = shown(Status(pop="ams", host="ams-1", agent=Agent.GONE, wire=wire, brake=brake))
    assert "198.18.0.0/22 through north, south\n" in text
    assert "198.19.254.0/23 through north (prepended x3)" in text
    assert "brake        hold: I look into it" in text
    assert "broker" not in text
    assert "nothing" in shown(Status(pop="ams", host="ams-1", agent=Agent.GONE, wire=()))


def test_a_host_whose_order_was_set_aside_says_so():
    host = Host()
    host.state = HostState(distrusted=stamp(7, epoch=3))
    host.attach(*adverts(OWN))
    text = shown(running(host.state, host.desired, FACTS, host.now))
    assert "order        none held" in text
    assert "epoch 3, generation 7 was set aside after repeated crashes" in text
    assert f"note         {REASON}" in text
