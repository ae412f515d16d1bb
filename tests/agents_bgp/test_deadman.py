"""The dead man's switch by a clock set by hand; checks have the outcomes the test gives them."""

import json
import select
import threading

import pytest

from agents.bgp.deadman import AGAIN, STOOD_STILL, Switch

AFTER = 30.0
WWW, VIDEO = {"port": 80}, {"port": 81}


def beat(*groups, after=AFTER):
    several = [{"checks": checks, "withdraw": lines} for checks, lines in groups]
    return json.dumps({"after": after, "groups": several}).encode()


class Stage:
    """A switch whose checks wait for the test to say how they end."""

    def __init__(self):
        self.now, self.told, self.asked = 1000.0, [], []
        self.failing = set()
        self.gate = threading.Event()
        self.gate.set()
        self.switch = Switch(self.told.append, self._passes)

    def _passes(self, check):
        self.asked.append(check["port"])
        self.gate.wait(5)
        return check["port"] not in self.failing

    def hear(self, *groups, **fields):
        self.switch.heartbeat(beat(*groups, **fields), self.now)
        self.told.clear()

    def wait(self, seconds):
        """A second at a time, as the relay does; outcomes arrive before the next look."""
        said = b""
        for _ in range(round(seconds)):
            self.now += 1
            said += self.switch.look(self.now)
            if self.switch._asking and self.gate.is_set():
                select.select([self.switch], [], [], 5)
                said += self.switch.look(self.now)
        return said


@pytest.fixture
def stage():
    return Stage()


def test_nothing_happens_before_the_first_heartbeat(stage):
    assert stage.wait(100) == b""
    assert stage.asked == []


def test_while_the_agent_is_heard_nobody_checks(stage):
    stage.failing = {80}
    for _ in range(40):
        stage.hear(([WWW], ["withdraw P"]))
        assert stage.wait(AFTER - 1) == b""
    assert stage.asked == []


def test_a_silent_agent_over_a_fit_service_changes_nothing(stage):
    stage.hear(([WWW], ["withdraw P"]))
    assert stage.wait(100) == b""
    assert stage.told == []
    assert len(stage.asked) == 71  # at 30 s and every second after


def test_a_silent_agent_over_a_failing_service_withdraws_once(stage):
    stage.failing = {80}
    stage.hear(([WWW], ["withdraw P", "withdraw Q"]))
    assert stage.wait(AFTER - 1) == b""
    assert stage.wait(1) == b"withdraw P\nwithdraw Q\n"
    assert stage.wait(60) == b""
    assert set(stage.told) == {b"switched"}
    assert len(stage.asked) == 1


def test_a_service_that_fails_later_is_found_within_a_second(stage):
    stage.hear(([WWW], ["withdraw P"]))
    stage.wait(50)
    stage.failing = {80}
    assert stage.wait(AGAIN) == b"withdraw P\n"


def test_a_group_fails_only_if_all_its_checks_do(stage):
    stage.failing = {80}
    stage.hear(([WWW, VIDEO], ["withdraw both"]), ([WWW], ["withdraw www"]))
    assert stage.wait(AFTER) + stage.wait(3) == b"withdraw www\n"


def test_a_group_without_a_check_is_never_withdrawn(stage):
    stage.hear(([], ["withdraw P"]))
    assert stage.wait(100) == b""


def test_the_agent_is_heard_again(stage):
    stage.failing = {80}
    stage.hear(([WWW], ["withdraw P"]))
    stage.wait(AFTER)
    stage.told.clear()
    stage.switch.heartbeat(beat(([WWW], ["withdraw P"])), stage.now)
    assert stage.told == [b"unswitched"]
    assert stage.wait(AFTER - 1) == b""
    assert stage.wait(1) == b"withdraw P\n"


def test_an_outcome_that_comes_after_the_agent_is_void(stage):
    stage.failing = {80}
    stage.hear(([WWW], ["withdraw P"]))
    stage.gate.clear()
    stage.wait(AFTER)
    assert stage.asked == [80]
    stage.hear(([WWW], ["withdraw P"]))
    stage.gate.set()
    select.select([stage.switch], [], [], 5)
    assert stage.wait(AFTER - 1) == b""
    assert stage.told == []


def test_a_check_that_hangs_is_not_started_twice(stage):
    stage.hear(([WWW], ["withdraw P"]))
    stage.gate.clear()
    stage.wait(AFTER + 20)
    assert stage.asked == [80]
    stage.gate.set()


def test_a_bridge_that_stood_still_gives_the_agent_its_time_again(stage):
    stage.failing = {80}
    stage.hear(([WWW], ["withdraw P"]))
    stage.wait(10)
    stage.now += 100 * STOOD_STILL
    assert stage.wait(AFTER - 10) == b""
    assert stage.wait(1) == b"withdraw P\n"


@pytest.mark.parametrize("text", [b"", b"{}", b'{"after": "x", "groups": []}', b"[1]", b"\xff"])
def test_a_heartbeat_that_cannot_be_read_disarms_it(stage, text):
    stage.failing = {80}
    stage.hear(([WWW], ["withdraw P"]))
    with pytest.raises((ValueError, KeyError, TypeError)):
        stage.switch.heartbeat(text, stage.now)
    assert stage.wait(100) == b""


def test_the_setting_may_change_with_every_heartbeat(stage):
    stage.failing = {80}
    stage.hear(([WWW], ["withdraw P"]))
    stage.hear(([WWW], ["withdraw Q"]), after=3.0)
    assert stage.wait(3) == b"withdraw Q\n"


AWAY = json.dumps({"after": AFTER, "groups": [], "away": True}).encode()


def test_somebody_who_holds_what_is_there_without_an_agent_disarms_it(stage):
    stage.hear(([WWW], ["withdraw it"]))
    stage.failing = {80}
    stage.wait(AFTER - 1)
    stage.switch.heartbeat(AWAY, stage.now)
    assert stage.wait(3 * AFTER) == b""
    assert stage.told == []


def test_which_ends_neither_what_is_withdrawn_nor_that_it_is_said(stage):
    stage.hear(([WWW], ["withdraw it"]), ([VIDEO], ["withdraw that"]))
    stage.failing = {80}
    assert stage.wait(AFTER + 2) == b"withdraw it\n"
    stage.switch.heartbeat(AWAY, stage.now)
    stage.told.clear()
    stage.failing = {80, 81}
    assert stage.wait(10) == b""
    assert set(stage.told) == {b"switched"}
    stage.switch.heartbeat(beat(([WWW], ["withdraw it"])), stage.now)
    assert stage.told[-1] == b"unswitched"
