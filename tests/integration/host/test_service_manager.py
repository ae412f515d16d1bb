"""Signs of life at a real socket, from the real programs."""

import os
import socket
import subprocess
import sys

import pytest

from agents.bgp import bridge
from ambicast.notify import ServiceManager


@pytest.fixture
def manager(tmp_path):
    """The service manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(20)
        yield listener


def words(listener):
    return listener.recv(4096).decode().split("\n")


def test_words_arrive_and_a_manager_that_went_away_is_no_fault(manager, tmp_path):
    given = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    speaking = ServiceManager(given)
    speaking.turned(0.0, "well")
    assert words(manager) == ["READY=1", "WATCHDOG=1", "STATUS=well"]
    speaking.stopping()
    assert words(manager) == ["STOPPING=1"]
    (tmp_path / "notify").unlink()
    speaking.stopping()


def test_the_bridge_says_that_it_listens(manager, tmp_path):
    """ExaBGP, its parent, never speaks to systemd: the unit is of NotifyAccess=all."""
    path = tmp_path / "exabgp.sock"
    command = [sys.executable, "-I", bridge.__file__, str(path)]
    given = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    with subprocess.Popen(command, env=given, **pipes) as started:
        assert "READY=1" in words(manager)
        assert path.exists()
        started.stdin.close()
        assert started.wait(5) == 0


def test_an_abstract_socket_is_understood():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"ambicast-test-{os.getpid()}"
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).stopping()
        assert words(listener) == ["STOPPING=1"]
