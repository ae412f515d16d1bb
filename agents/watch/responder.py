"""The responder: answers probes, whatever becomes of the agent.

Watchers must learn whether a *host* is there. Were the agent to answer them, every restart,
upgrade and crash of it would look like the death of a PoP. So a process of its own holds UDP 4791
and little else: it needs no fleet file, speaks to nobody, and is told by the agent what to say
(see :mod:`agents.watch.answers`). Nothing that arrives ends it; what it cannot have at once (a
port that an agent of before still holds, a family that the kernel lacks) it tries again, and says
so: whoever waits for it to be ready (systemd, before it starts the agent that is to let go of the
port) must not wait in vain.

Whoever has the unix socket's path answers. A responder that finds another one's socket there has
been succeeded, and ends: so one takes over from another without a gap
(:mod:`agents.watch.guardian`).
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from agents.watch import datagrams
from agents.watch.answers import Answers
from agents.watch.datagrams import Fault, Kind
from agents.watch.wires import AskedWire, Datagram
from ambicast.model.identifiers import Family

LOOK_EVERY = 1.0
RETRY_PORT = 0.1
# Probes are answered in batches: a wake-up costs more than an answer, and nobody measures delays.
NAP = 0.01
# Datagrams read per socket and wake-up, so that a flood of probes does not keep the word out.
AT_ONCE = 200

Beat = Callable[[str], None]


class Succeeded(Exception):  # noqa: N818 - nothing failed
    """Another responder has taken over."""


class Responder:
    """The sockets of one host and what is done with what arrives at them."""

    def __init__(
        self,
        pop: str,
        host: str,
        key: bytes,
        path: Path,
        beat: Beat,
        *,
        wire: Callable[[Family], AskedWire] = AskedWire,
    ) -> None:
        """A responder that answers for ``host`` as soon as :meth:`turn` is called.

        Args:
            pop: the PoP it says it is.
            host: and the host.
            key: what every datagram is sealed with.
            path: where it listens to agent and bridge.
            beat: called about once a second while it answers, or waits for its port, with one
                line on how it fares.
            wire: opens the socket of a family.
        """
        self._answers = Answers(pop, host)
        self._key, self._path, self._beat, self._wire = key, path, beat, wire
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        self._wires: dict[Family, AskedWire] = {}
        self._ear: socket.socket | None = None
        self._inode = 0
        self._looked = self._waited = float("-inf")
        self.dropped: Counter[str] = Counter()

    def run(self) -> None:
        """Answer until the process is told to end, or somebody else does."""
        try:
            while True:
                self.turn(LOOK_EVERY if self._wires else RETRY_PORT)
        except Succeeded:
            _say("succeeded", "another responder listens")

    def turn(self, patience: float) -> None:
        """One look at everything; waits at most ``patience`` seconds for something to arrive.

        Raises:
            Succeeded: another responder listens at the path.
        """
        now = time.monotonic()
        if not self._wires or now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._look(now)
        ready = self._epoll.poll(patience)
        for descriptor, _ in ready:
            try:
                self._ready[descriptor]()
            except Exception as fault:  # noqa: BLE001 - nothing that arrives may end this process
                self._drop(type(fault).__name__, str(fault))
        if ready:
            time.sleep(NAP)

    def close(self) -> None:
        """Give up every socket, and the path where it is still ours."""
        for wire in self._wires.values():
            wire.close()
        if self._ear is not None:
            if self._at_path() == self._inode:
                self._path.unlink(missing_ok=True)
            self._ear.close()
        self._epoll.close()

    def _look(self, now: float) -> None:
        """Have what is missing. The unix socket comes after the port: who has that, answers."""
        found = self._at_path()
        if self._ear is not None and found not in {None, self._inode}:
            raise Succeeded
        for family in Family:
            if family not in self._wires:
                self._open(family)
        if not self._wires:
            self._wait(now)
            return
        if self._ear is None or found is None:
            self._listen()
        voice = "agent heard" if self._answers.voice(now) else "agent silent"
        self._beat(f"{' and '.join(self._wires)}, {voice}")

    def _wait(self, now: float) -> None:
        if now - self._waited >= LOOK_EVERY:
            self._waited = now
            self._beat(f"waiting for udp {datagrams.PORT}")

    def _open(self, family: Family) -> None:
        try:
            wire = self._wire(family)
        except OSError as fault:
            self._drop(f"no port for {family}", str(fault))
            return
        self._wires[family] = wire
        self._attend(wire.fileno(), lambda: self._answer(wire))

    def _attend(self, descriptor: int, act: Callable[[], None]) -> None:
        self._ready[descriptor] = act
        self._epoll.register(descriptor, select.EPOLLIN)

    def _at_path(self) -> int | None:
        """The inode of the socket at the path; none where there is no file."""
        try:
            return self._path.stat().st_ino
        except OSError:
            return None

    def _listen(self) -> None:
        """Take the path over in one step, whoever had it, and for its owner alone."""
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as fault:
            self._drop("no unix socket", str(fault))
            return
        try:
            ear.bind(str(fresh))
            fresh.chmod(0o600)
            self._inode = fresh.stat().st_ino
            fresh.replace(self._path)
        except OSError as fault:
            ear.close()
            self._drop("no unix socket", f"{self._path}: {fault}")
            return
        if self._ear is not None:
            self._ear.close()
        self._ear = ear
        self._attend(ear.fileno(), lambda: self._hear(ear))

    def _answer(self, wire: AskedWire) -> None:
        now = time.monotonic()
        for _ in range(AT_ONCE):
            datagram = wire.receive()
            if datagram is None:
                return
            self._reply(wire, datagram, now)

    def _reply(self, wire: AskedWire, datagram: Datagram, now: float) -> None:
        opened = datagrams.unseal(datagram.payload, self._key)
        if isinstance(opened, Fault):
            self._drop(str(opened), str(datagram.peer[0]))
        elif opened.kind != Kind.PROBE:
            self._drop("no probe", str(datagram.peer[0]))
        else:
            reply = datagrams.seal(Kind.REPLY, opened.nonce, self._answers.body(now), self._key)
            wire.send(reply, datagram.peer, datagram.asked)

    def _hear(self, ear: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                said = ear.recv(datagrams.LARGEST + 1)
            except BlockingIOError:
                return
            fault = self._answers.hear(said, time.monotonic())
            if fault is not None:
                self._drop(f"word {fault}", f"{len(said)} bytes")

    def _drop(self, why: str, detail: str) -> None:
        self.dropped[why] += 1
        if self.dropped[why] == 1:
            _say(why, detail)


def _say(event: str, detail: str) -> None:
    line = msgspec.json.encode({"event": event, "detail": detail, "part": "responder"})
    sys.stderr.write(line.decode() + "\n")
    sys.stderr.flush()
