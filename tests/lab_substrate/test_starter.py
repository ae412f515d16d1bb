"""The starter of a node, in namespaces of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.engines.node_init import environment

pytestmark = [pytest.mark.lab, pytest.mark.timeout(30)]

INIT = """
set -e
mount -t tmpfs tmpfs /run
mount --bind "$1" /mnt
exec "$2" -m lab.nodes.start /mnt/node.json
"""


class Node:
    def __init__(self, directory, programs):
        spec = {"node": "n", "directories": ["/run/made"], "programs": programs}
        (directory / "node.json").write_text(json.dumps(spec))
        namespaces = ["-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private"]
        self.process = subprocess.Popen(
            ["unshare", *namespaces, "sh", "-c", INIT, "init", str(directory), sys.executable],
            env=environment() | {"AMBICAST_LOGS": "/mnt"},
        )

    @property
    def init(self):
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        children = task.read_text().split()
        return int(children[0]) if children else None

    def path(self, inner):
        return Path(f"/proc/{self.init}/root{inner}")

    def say(self, line):
        descriptor = os.open(self.path("/run/programs/control"), os.O_WRONLY | os.O_NONBLOCK)
        os.write(descriptor, f"{line}\n".encode())
        os.close(descriptor)


@pytest.fixture
def node(tmp_path):
    made = []

    def start(*programs):
        made.append(Node(tmp_path, programs))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.wait()


def sh(name, script, **more):
    return {"name": name, "argv": ["sh", "-c", script], **more}


def test_a_program_waits_for_the_path_it_needs(node, tmp_path, until):
    node(
        sh("late", "touch /mnt/late; sleep 100", after="/run/ready"),
        sh(
            "early",
            "touch /mnt/early; sleep 0.3; test ! -e /mnt/late && touch /run/ready; sleep 9",
        ),
    )
    until((tmp_path / "early").exists)
    until((tmp_path / "late").exists)


def test_a_program_that_cannot_start_is_tried_again_and_does_not_stop_others(
    node, tmp_path, until
):
    node(
        sh("broken", "echo x >> /mnt/tries; exit 1"),
        {"name": "missing", "argv": ["no-such-program"]},
        sh("fine", "touch /mnt/fine; sleep 100"),
    )
    until((tmp_path / "fine").exists)
    until(lambda: (tmp_path / "tries").read_text().count("x") >= 3)


def test_a_program_waits_for_its_own_delay_before_it_runs_again(node, tmp_path, until):
    again = "date +%s.%N >> /mnt/NAME; exit 1"
    node(
        sh("soon", again.replace("NAME", "soon"), restart_after=0.1),
        sh("late", again.replace("NAME", "late"), restart_after=0.8),
    )

    def pause(name):
        times = [float(line) for line in (tmp_path / name).read_text().splitlines()]
        return times[1] - times[0] if len(times) > 1 else None

    until(lambda: (tmp_path / "soon").exists() and pause("soon"))
    until(lambda: (tmp_path / "late").exists() and pause("late"))
    assert 0.1 <= pause("soon") < 0.8 <= pause("late")


def test_a_program_without_restart_runs_once(node, tmp_path, until):
    running = node(
        sh("once", "echo x >> /mnt/once", restart=False), sh("other", "sleep 1; touch /mnt/end")
    )
    until((tmp_path / "end").exists)
    assert (tmp_path / "once").read_text() == "x\n"
    assert not running.path("/run/programs/once.pid").exists()


def test_the_children_of_a_dead_program_die_with_it(node, until):
    running = node(sh("parent", "sleep 1234 & exec sleep 4321"))
    pid_file = until(lambda: running.init and running.path("/run/programs/parent.pid"))
    first = until(lambda: pid_file.exists() and pid_file.read_text())

    def sleepers():
        argv = ["nsenter", "-t", str(running.init), "-m", "-p", "pgrep", "-fc", "sleep 1234"]
        return int(subprocess.run(argv, capture_output=True, text=True, check=False).stdout)

    until(lambda: sleepers() == 1)
    enter = ["nsenter", "-t", str(running.init), "-m", "-p"]
    subprocess.run([*enter, "kill", "-9", first.strip()], check=True)
    until(lambda: pid_file.exists() and pid_file.read_text() != first)
    until(lambda: sleepers() == 1)


def test_stop_and_start_by_the_control_pipe_and_nonsense_is_ignored(node, until):
    running = node(sh("a", "sleep 100"), sh("b", "sleep 100"))
    until(lambda: running.init and running.path("/run/programs/a.pid").exists())
    until(lambda: running.path("/run/programs/b.pid").exists())
    running.say("stop a")
    until(lambda: not running.path("/run/programs/a.pid").exists())
    running.say("stop nobody\nfly a")
    running.say("start a")
    until(lambda: running.path("/run/programs/a.pid").exists())
    assert running.path("/run/programs/b.pid").exists()


def test_sigterm_stops_everything_even_what_does_not_want_to(node, tmp_path, until):
    running = node(
        sh("kind", "trap 'touch /mnt/farewell; exit 0' TERM; touch /mnt/ready; sleep 99 & wait"),
        sh("stubborn", "trap '' TERM; touch /mnt/deaf; while :; do sleep 1; done"),
    )
    until(lambda: (tmp_path / "ready").exists() and (tmp_path / "deaf").exists())
    os.kill(running.init, signal.SIGTERM)
    assert running.process.wait(timeout=10) == 0
    assert (tmp_path / "farewell").exists()


def test_orphans_are_reaped(node, until):
    running = node(sh("spawner", "(sleep 0.2 &) ; sleep 100"))
    until(lambda: running.init and running.path("/run/programs/spawner.pid").exists())

    def zombies():
        argv = ["nsenter", "-t", str(running.init), "-m", "-p", "ps", "-eo", "stat="]
        shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        return [line for line in shown.split() if line.startswith("Z")]

    until(lambda: not zombies())
