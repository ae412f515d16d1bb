"""What the service manager hears, and when."""

import pytest

from ambicast.notify import ServiceManager

SOCKET = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "10000000"}


@pytest.fixture
def said(monkeypatch):
    heard = []
    monkeypatch.setattr(ServiceManager, "_say", lambda self, words: heard.extend(words))
    return heard


def test_the_first_turn_is_ready_and_the_loop_shows_that_it_lives_four_times_per_patience(said):
    manager = ServiceManager(SOCKET, pid=7)
    for tenth in range(101):
        manager.turned(100 + tenth / 10, "all is well")
    assert said[:3] == ["READY=1", "WATCHDOG=1", "STATUS=all is well"]
    assert said.count("READY=1") == 1
    assert said.count("WATCHDOG=1") == 5


def test_a_status_is_said_when_it_changed_and_is_one_line(said):
    manager = ServiceManager(SOCKET, pid=7)
    for text in ("a", "a", "b\nREADY=1"):
        manager.turned(0.0, text)
    assert [word for word in said if word.startswith("STATUS")] == ["STATUS=a", "STATUS=b READY=1"]


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "8"}],
)
def test_without_a_watchdog_of_ours_there_is_no_sign_of_life(said, environment):
    ServiceManager(environment, pid=7).turned(0.0, "")
    assert said == ["READY=1"]
