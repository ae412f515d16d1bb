"""Two processes, so that no single death is noticed: one answers, the other brings it back.

Measured: a responder that is killed and started anew by its service manager is away for 0.3 s and
more, which watchers take for the death of the PoP. So the *guardian* forks the responder (the
*worker*), with everything imported and read already:

* the worker dies: the guardian forks the next one within a millisecond;
* the worker says nothing for ``PATIENCE`` seconds: the guardian kills it, and then the same;
* the guardian dies: the worker, in a session of its own, goes on answering, until the service
  manager has started another guardian, whose worker takes over (``SO_REUSEPORT``);
* ``SIGHUP``: the guardian becomes a fresh one (new program, settings and key), under the same
  process id, while the old worker answers until the new one does;
* ``SIGTERM`` ends both.

Only the guardian speaks to the service manager, and only while the worker answers or waits for its
port.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec
import yaml

from agents.watch.key import load_key
from agents.watch.responder import Beat, Responder
from ambicast.notify import ServiceManager

PATIENCE = 3.0
LOOK_EVERY = 0.5
PAUSE = 0.2  # after a worker that died as soon as it was born

Work = Callable[[Beat], None]


class Settings(msgspec.Struct, frozen=True):
    """What of ``agent.yaml`` the responder needs; faults elsewhere in it are the agent's."""

    pop: str
    host: str
    watch_key_file: str
    responder: str = "/run/ambicast/responder.sock"


def read(path: Path) -> Settings:
    """The settings in the file ``path``.

    Raises:
        ValueError: where they cannot be used; says where, and what is allowed.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return msgspec.convert(yaml.load(path.read_text(), Loader=loader), Settings)  # noqa: S506
    except OSError as fault:
        raise ValueError(f"{path}: {fault.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as fault:
        raise ValueError(f"{path}: {' '.join(str(fault).split())}") from None


def serve(path: Path) -> NoReturn:
    """Answer probes by the settings in ``path``, until SIGTERM.

    Raises:
        ValueError: where the settings or the key cannot be used.
    """
    settings = read(path)
    key = load_key(Path(settings.watch_key_file))

    def work(beat: Beat) -> None:
        where = Path(settings.responder)
        responder = Responder(settings.pop, settings.host, key, where, beat)
        try:
            responder.run()
        finally:
            responder.close()

    Guardian(work).run()


class Guardian:
    """Keeps one worker."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._manager = ServiceManager()
        self._worker = 0
        self._beats = -1
        self._born = self._heard = 0.0

    def run(self) -> NoReturn:
        """For as long as this process lives."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGHUP, _become_fresh)
        self._fork()
        while True:
            before = time.monotonic()
            alive = self._listen()
            now = time.monotonic()
            if not alive:
                self._bury()
                time.sleep(PAUSE if now - self._born < PAUSE else 0)
                self._fork()
            elif now - before > PATIENCE / 2:
                self._heard = now  # it was us who stood still
            elif now - self._heard > PATIENCE:
                _signal(self._worker, signal.SIGKILL)

    def _fork(self) -> None:
        self._beats, sink = os.pipe()
        self._born = self._heard = time.monotonic()
        self._worker = os.fork()
        if self._worker == 0:
            os.close(self._beats)
            _labour(self._work, sink)
        os.close(sink)

    def _listen(self) -> bool:
        """Hear what the worker says; false when it is gone."""
        ready, _, _ = select.select([self._beats], [], [], LOOK_EVERY)
        if not ready:
            return True
        said = os.read(self._beats, 4096)
        if said:
            self._heard = time.monotonic()
            self._manager.turned(self._heard, said.decode(errors="replace").splitlines()[-1])
        return bool(said)

    def _bury(self) -> None:
        """Reap every child: after SIGHUP there is one this program does not know of."""
        os.close(self._beats)
        _signal(self._worker, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._worker, 0)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def _end(self, *_: object) -> NoReturn:
        self._manager.stopping()
        _signal(self._worker, signal.SIGTERM)
        raise SystemExit(0)


def _labour(work: Work, sink: int) -> NoReturn:
    """In the worker: not a member of the guardian's group, so that it outlives it."""
    os.setsid()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def beat(text: str) -> None:
        with contextlib.suppress(OSError):  # nobody guards us any more
            os.write(sink, f"{text}\n".encode())

    code = 1
    try:
        work(beat)
        code = 0
    except SystemExit:
        code = 0
    except Exception as fault:  # noqa: BLE001 - said, and then the next worker tries
        sys.stderr.write(f"responder: {type(fault).__name__}: {fault}\n")
    finally:
        os._exit(code)


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


def _become_fresh(*_: object) -> NoReturn:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the fresh program has its own handler
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
