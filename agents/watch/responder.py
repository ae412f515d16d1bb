"""The responder: a process of its own that answers probes, whatever becomes of the agent.

Watchers must learn whether a *host* is there. Were the agent to answer them, every restart,
upgrade and crash of it would look like the death of a PoP. So this process holds UDP 4791 and
little else: it needs no fleet file, speaks to nobody, and is told by the agent what to say (see
:mod:`agents.watch.answers`). Nothing that arrives ends it; what it cannot have at once (a port
that a predecessor still holds, a family that the kernel lacks) it tries again every second.

It imports only what it needs, because a restart must be over before watchers notice. They notice
after ``watch_misses`` intervals.
"""

from __future__ import annotations

import os
import selectors
import signal
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
from agents.watch.wires import Datagram, Wire
from ambicast.model.identifiers import Family
from ambicast.notify import ServiceManager

LOOK_EVERY = 1.0
RETRY_PORT = 0.1
# Datagrams read per socket and wake-up, so that a flood of probes does not keep the word out.
AT_ONCE = 200


class Responder:
    """The sockets of one host and what is done with what arrives at them."""

    def __init__(
        self, pop: str, host: str, key: bytes, path: Path, *, wire: Callable[[Family], Wire] = Wire
    ) -> None:
        self._answers = Answers(pop, host)
        self._key, self._path, self._wire = key, path, wire
        self._selector = selectors.DefaultSelector()
        self._wires: dict[Family, Wire] = {}
        self._ear: socket.socket | None = None
        self._inode = 0
        self._looked = float("-inf")
        self._manager = ServiceManager()
        self.dropped: Counter[str] = Counter()

    def run(self) -> None:
        """Answer until the process is told to end."""
        while True:
            self.turn(LOOK_EVERY if self._wires else RETRY_PORT)

    def turn(self, patience: float) -> None:
        """One look at everything; waits at most ``patience`` seconds for something to arrive."""
        now = time.monotonic()
        if not self._wires or now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._look(now)
        for ready, _ in self._selector.select(patience):
            try:
                ready.data()
            except Exception as fault:  # noqa: BLE001 - nothing that arrives may end this process
                self._drop(type(fault).__name__, str(fault))

    def close(self) -> None:
        """Give up every socket, and the file of the one that has one."""
        for wire in self._wires.values():
            wire.close()
        if self._ear is not None:
            self._path.unlink(missing_ok=True)
            self._ear.close()
        self._selector.close()

    def _look(self, now: float) -> None:
        """Have what is missing. The unix socket comes after the port: who has that, answers."""
        for family in Family:
            if family not in self._wires:
                self._open(family)
        if self._wires and not self._heard_at_path():
            self._listen()
        voice = "agent heard" if self._answers.voice(now) else "agent silent"
        self._manager.turned(now, f"{len(self._wires)} families, {voice}")

    def _open(self, family: Family) -> None:
        try:
            wire = self._wire(family)
        except OSError as fault:
            self._drop(f"no port for {family}", str(fault))
            return
        self._wires[family] = wire
        self._selector.register(wire, selectors.EVENT_READ, lambda: self._answer(wire))

    def _heard_at_path(self) -> bool:
        try:
            return self._ear is not None and self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def _listen(self) -> None:
        """Take the path over in one step, whoever had it, and for root alone."""
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError as fault:
            self._drop("no unix socket", str(fault))
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            ear.bind(str(fresh))
            fresh.chmod(0o600)
            self._inode = fresh.stat().st_ino
            fresh.replace(self._path)
        except OSError as fault:
            ear.close()
            self._drop(f"no socket at {self._path}", str(fault))
            return
        if self._ear is not None:
            self._selector.unregister(self._ear)
            self._ear.close()
        self._ear = ear
        self._selector.register(ear, selectors.EVENT_READ, lambda: self._hear(ear))

    def _answer(self, wire: Wire) -> None:
        now = time.monotonic()
        for _ in range(AT_ONCE):
            datagram = wire.receive()
            if datagram is None:
                return
            self._reply(wire, datagram, now)

    def _reply(self, wire: Wire, datagram: Datagram, now: float) -> None:
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


class _Needed(msgspec.Struct, frozen=True):
    """What of ``agent.yaml`` the responder needs; faults elsewhere in it are the agent's."""

    pop: str
    host: str
    watch_key_file: str
    responder: str = "/run/ambicast/responder.sock"


def serve(path: Path) -> None:
    """The responder by the settings in ``path``, until SIGTERM.

    Raises:
        ValueError: where the settings or the key cannot be used; says where and what is allowed.
    """
    import yaml  # noqa: PLC0415 - only at the start

    from agents.watch.key import load_key  # noqa: PLC0415 - only at the start

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        settings = msgspec.convert(yaml.load(path.read_text(), Loader=loader), _Needed)  # noqa: S506
    except OSError as fault:
        raise ValueError(f"{path}: {fault.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise ValueError(f"{path}: {' '.join(str(fault).split())}") from None
    key = load_key(Path(settings.watch_key_file))
    responder = Responder(settings.pop, settings.host, key, Path(settings.responder))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        responder.run()
    finally:
        responder.close()


def _end(*_: object) -> None:
    raise SystemExit(0)


def _say(event: str, detail: str) -> None:
    line = msgspec.json.encode({"event": event, "detail": detail, "part": "responder"})
    sys.stderr.write(line.decode() + "\n")
    sys.stderr.flush()
