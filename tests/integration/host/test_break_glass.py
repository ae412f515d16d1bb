"""The four commands against a running agent, a frozen one, and none at all."""

import asyncio
import contextlib
import socket

import msgspec
import pytest

from agents.advertising.accept import Held
from agents.advertising.observations import BgpSeen
from agents.brake.commands import DIFFERS, OK, Glass
from agents.brake.desk import Desk, listen
from agents.brake.file import BrakeFile
from agents.brake.status import Agent, Status
from ambicast.contract.messages import Brake, BrakeKind
from ambicast.model.routes import Advertisement
from tests.agents_advertising.hosts import OWN, order, stamp

HELD = Held(stamp(4), order(OWN))
ROUTE = Advertisement("198.18.0.0/22", "north")


class Running:
    """An agent that obeys: a withdraw brake empties its wire a moment later."""

    def __init__(self):
        self.now = Status(pop="ams", host="ams-1", agent=Agent.RUNNING, wire=(ROUTE,))
        self.obeys = True

    def status(self):
        return self.now

    def tell(self, pulled):
        asyncio.get_running_loop().call_later(0.05, self._take, pulled.brake)

    def _take(self, brake):
        withdrawn = self.obeys and brake and brake.kind is BrakeKind.WITHDRAW
        wire = () if withdrawn else self.now.wire
        self.now = msgspec.structs.replace(self.now, brake=brake, wire=wire)


class Speaker:
    """ExaBGP, reached directly."""

    def __init__(self, *, there=True, deaf=False):
        self.there, self.deaf = there, deaf
        self.asked = []

    async def is_there(self):
        return self.there

    async def look(self, within):
        self.asked.append("look")
        routes = frozenset({ROUTE})
        return None if self.deaf else BgpSeen(attached=True, rib=routes, wire=routes)

    async def withdraw(self, within):
        self.asked.append("withdraw")
        return None if self.deaf else BgpSeen(attached=True)

    async def disarm(self, within):
        self.asked.append("disarm")
        return not self.deaf

    async def restart(self):
        self.asked.append("restart")


@pytest.fixture
def file(tmp_path):
    return BrakeFile(tmp_path / "state")


@pytest.fixture
def glass(tmp_path, file):
    def made(speaker=None, *, held: Held | None = HELD):
        return Glass(("ams", "ams-1"), tmp_path / "agent.sock", file, held, speaker)

    return made


@pytest.fixture
async def agent(tmp_path, file):
    running = Running()
    desk = Desk(tmp_path / "agent.sock", file, running.status, running.tell)
    task = asyncio.get_running_loop().create_task(desk.run(), name="desk")
    async with asyncio.timeout(5):
        while not (tmp_path / "agent.sock").exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)
    yield running
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def frozen(tmp_path):
    """Somebody listens and never answers: what a stopped process looks like."""
    listener = listen(tmp_path / "agent.sock")
    yield
    listener.close()


async def test_hold_is_in_force_when_the_agent_says_so(agent, glass, file):
    speaker = Speaker()
    said = await glass(speaker).hold("I look into it", 5.0)
    brake = Brake(kind=BrakeKind.HOLD, reason="I look into it", since=5.0)
    assert (said.code, said.status.brake, file.read()) == (OK, brake, brake)
    assert speaker.asked == []


async def test_withdraw_is_judged_by_the_wire(agent, glass, monkeypatch):
    assert (await glass(Speaker()).withdraw("smoke", 5.0)).code == OK
    monkeypatch.setattr("agents.brake.commands.WIRE_WITHIN", 0.3)
    agent.obeys = False
    agent.now = msgspec.structs.replace(agent.now, wire=(ROUTE,))
    said = await glass(Speaker()).withdraw("smoke again", 6.0)
    assert (said.code, said.status.wire) == (DIFFERS, (ROUTE,))


async def test_release_takes_the_brake_off(agent, glass, file):
    await glass().hold("x", 5.0)
    said = await glass().release("seen enough")
    assert (said.code, said.status.brake, file.read()) == (OK, None, None)


async def test_status_differs_while_a_brake_is_in_force(agent, glass):
    assert (await glass().status()).code == OK
    await glass().hold("x", 5.0)
    assert (await glass().status()).code == DIFFERS


async def test_a_brake_pulled_while_the_agent_was_frozen_is_found_by_looking(agent, file):
    file.write(Brake(kind=BrakeKind.HOLD, reason="x"))
    async with asyncio.timeout(5):
        while agent.now.brake is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("verb", "asked"), [("hold", ["disarm", "look"]), ("release", [])])
async def test_without_an_agent_hold_and_release_write_the_file_and_say_so(
    verb, asked, glass, file
):
    speaker = Speaker()
    command = glass(speaker)
    said = await (command.hold("x", 5.0) if verb == "hold" else command.release("x"))
    assert said.code == OK
    assert said.status.agent is Agent.GONE
    assert "no agent runs here" in said.status.notes
    assert (file.read() is not None) == (verb == "hold")
    assert speaker.asked == asked


async def test_hold_with_the_agent_frozen_disarms_the_switch_and_keeps_what_is_there(
    frozen, glass, file
):
    said = await glass(Speaker()).hold("x", 5.0)
    assert (said.code, said.status.wire, file.frozen()) == (OK, (ROUTE,), {ROUTE})
    assert "the dead man's switch withdraws nothing until an agent is back" in said.status.notes


async def test_release_without_an_agent_says_that_the_switch_is_still_disarmed(glass):
    disarmed = "the dead man's switch withdraws nothing until an agent is back"
    assert disarmed not in (await glass(Speaker()).release("nothing was held")).status.notes
    await glass(Speaker()).hold("x", 5.0)
    assert disarmed in (await glass(Speaker()).release("seen enough")).status.notes


async def test_a_switch_that_may_still_fire_is_no_success(glass, file):
    said = await glass(Speaker(deaf=True)).hold("x", 5.0)
    assert (said.code, file.frozen()) == (DIFFERS, None)
    assert any("may still withdraw what has failed" in note for note in said.status.notes)


async def test_hold_once_more_forgets_nothing_of_what_was_held_first(glass, file):
    await glass(Speaker()).hold("x", 5.0)
    file.freeze(frozenset())
    await glass(Speaker()).hold("y", 6.0)
    assert file.frozen() == frozenset()


@pytest.mark.parametrize("held", [HELD, None])
async def test_before_the_first_order_a_hold_holds_nothing_and_later_the_kept_one(
    held, glass, file
):
    assert (await glass(Speaker(there=False), held=held).hold("x", 5.0)).code == OK
    assert file.frozen() == (None if held else frozenset())


async def test_with_the_agent_frozen_withdraw_goes_to_exabgp_itself(frozen, glass, file):
    speaker = Speaker()
    said = await glass(speaker).withdraw("smoke", 5.0)
    assert (said.code, said.status.agent, said.status.wire) == (OK, Agent.SILENT, ())
    assert speaker.asked == ["withdraw"]
    assert file.read().kind is BrakeKind.WITHDRAW


async def test_an_exabgp_that_does_not_answer_is_ended(glass):
    speaker = Speaker(deaf=True)
    said = await glass(speaker).withdraw("smoke", 5.0)
    assert (said.code, speaker.asked) == (OK, ["withdraw", "restart"])
    assert "exabgp does not answer: it was ended, which closes its sessions" in said.status.notes


async def test_where_no_exabgp_runs_nothing_is_advertised(glass):
    said = await glass(Speaker(there=False)).withdraw("smoke", 5.0)
    assert (said.code, said.status.wire) == (OK, ())


async def test_status_without_an_agent_tells_the_order_the_brake_and_the_wire(glass, file):
    file.write(Brake(kind=BrakeKind.HOLD, reason="x"))
    said = await glass(Speaker()).status()
    assert said.code == DIFFERS
    assert said.status.order.epoch == stamp(4).epoch
    assert said.status.wire == (ROUTE,)
    assert said.status.brake.reason == "x"


async def test_a_wire_nobody_can_see_is_no_success(glass, monkeypatch):
    class Stubborn(Speaker):
        async def restart(self):
            raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await glass(Stubborn(deaf=True)).withdraw("smoke", 5.0)


async def test_the_socket_belongs_to_its_owner_and_is_taken_over_by_a_successor(tmp_path):
    path = tmp_path / "run" / "agent.sock"
    with listen(path), listen(path), socket.socket(socket.AF_UNIX) as client:
        assert path.stat().st_mode & 0o777 == 0o600
        client.connect(str(path))
    assert [each.name for each in path.parent.iterdir()] == ["agent.sock"]


async def test_what_the_agent_holds_is_kept_for_the_next_boot(tmp_path, file):
    file.write(Brake(kind=BrakeKind.HOLD, reason="x"))
    wire = [frozenset({ROUTE})]
    running = Running()
    desk = Desk(tmp_path / "a.sock", file, running.status, running.tell, lambda: wire[0])
    task = asyncio.get_running_loop().create_task(desk.run(), name="desk")
    async with asyncio.timeout(5):
        while file.frozen() is None:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.02)
        assert file.frozen() == {ROUTE}
        while running.now.brake is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        file.write(None)
        while running.now.brake is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert file.frozen() is None, "what is released is not kept again"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
