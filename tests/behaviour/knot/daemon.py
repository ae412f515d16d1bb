"""A knotd of the test's own, on a loopback port, with the files we would give it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time

from agents.answering.proofs import Question
from agents.nameserver.launch import prepare
from agents.nameserver.maps import draw, files
from agents.nameserver.places import Places, install_map
from agents.nameserver.queries import ask
from agents.nameserver.zone import Zone
from tests.agents_answering.worlds import ZONE, fleet

PATH = f"{os.environ['PATH']}:/usr/sbin"


class Daemon:
    """Knot as :mod:`agents.nameserver.launch` would start it, but on ``port``."""

    def __init__(self, folder, addresses=("127.0.0.1", "::1"), **fleet_changes):
        self.fleet = fleet(addresses, **fleet_changes)
        self.places = Places(folder / "knot", folder / "run" / "knot.sock")
        self.port = free_port()
        self.log = folder / "log"
        self.process = None
        self.zone = Zone(self.places.socket, ZONE)

    def start(self):
        """Prepares the files, starts knotd, and waits until its control socket answers."""
        prepare(self.fleet, self.fleet.nameservers["ams"], self.places, self.port)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["knotd", "-c", str(self.places.configuration)],
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": PATH},
            )
        deadline = time.monotonic() + 10
        while not self._accepts():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.005)  # a foreign process gives no event for this
        return self

    def kill(self):
        """As a crash would: nothing is written any more."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Cleanly."""
        self._end(signal.SIGTERM)

    def install(self, stamp, client_map):
        """Puts a map's files in place; the running server does not look at them by itself."""
        install_map(self.places, stamp, *files(draw(client_map, stamp)))

    def check(self):
        """What knotc says about the files; empty if it likes them."""
        done = subprocess.run(
            ["knotc", "-c", str(self.places.configuration), "conf-check"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": PATH},
        )
        return "" if done.returncode == 0 else done.stderr

    async def asked(self, name, kind="A", subnet=None, server="127.0.0.1"):
        """The answer to one question."""
        question = Question(name, kind, subnet)
        return (await ask(server, self.port, [question]))[question]

    def _accepts(self):
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(self.places.socket))
            probe.sendall(b"\x00")
            return True
        return False

    def _end(self, how):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(10)


def free_port():
    """A port that is free for UDP and TCP on loopback."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]
