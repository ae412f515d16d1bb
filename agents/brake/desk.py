"""The running agent's end of the break-glass commands: a unix socket, one question per line.

``status`` is answered with everything this agent knows; ``look`` has it look at the brake file
first. It also looks by itself whenever the file changes: a command typed while the agent was
frozen must be in force when it wakes, whether or not its question still waits at the socket. What
a HOLD froze it keeps beside the brake, for the agent after the next boot.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from agents.advertising.observations import BrakePulled
from agents.brake.file import BrakeFile
from agents.brake.status import Status
from ambicast.contract.messages import Brake, BrakeKind
from ambicast.model.routes import Advertisement

LOOK_EVERY = 0.5
LONGEST_QUESTION = 1024
PATIENCE = 2.0

log = structlog.get_logger()


class Desk:
    """Looks at the brake file and answers questions, until cancelled."""

    def __init__(
        self,
        path: Path,
        file: BrakeFile,
        status: Callable[[], Status],
        tell: Callable[[BrakePulled], None],
        frozen: Callable[[], frozenset[Advertisement] | None] = lambda: None,
    ) -> None:
        """``path`` of the socket; ``status`` looks at the agent, ``tell`` tells it.

        ``frozen`` is what the agent holds for the operator, or none.
        """
        self._frozen = frozen
        self._kept: frozenset[Advertisement] | None = None
        self._failed = False
        self._path, self._file, self._status, self._tell = path, file, status, tell
        self._trace: tuple[int, int] | None = None
        self._told: Brake | None = None

    async def run(self) -> None:
        """Serves and looks, for ever."""
        self._look()
        server = await asyncio.start_unix_server(self._serve, sock=listen(self._path))
        async with server:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                if self._file.trace() != self._trace:
                    self._look()
                self._keep()

    def _look(self) -> None:
        self._trace = self._file.trace()
        brake = self._file.read()
        if brake != self._told:
            self._told = brake
            log.warning(
                "brake pulled" if brake else "brake released",
                kind=brake.kind if brake else None,
                reason=brake.reason if brake else None,
            )
        self._tell(BrakePulled(brake))

    def _keep(self) -> None:
        held = self._frozen()
        if self._told is None or self._told.kind is not BrakeKind.HOLD or held is None:
            self._kept = None
            return
        if held == self._kept:
            return
        try:
            self._file.freeze(held)
        except OSError as fault:
            if not self._failed:
                log.warning("what is held is not kept for the next boot", why=str(fault))
            self._failed = True
        else:
            self._kept, self._failed = held, False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while line := await reader.readline():
                    writer.write(self._answer(line.strip()) + b"\n")
                    await writer.drain()
        except (TimeoutError, ValueError, OSError):
            pass  # whoever asks badly, or not at all, is not worth a word in the log
        finally:
            writer.close()

    def _answer(self, question: bytes) -> bytes:
        match question:
            case b"status":
                return msgspec.json.encode(self._status())
            case b"look":
                self._look()
                return msgspec.json.encode(self._status())
            case _:
                return msgspec.json.encode({"error": "status and look are allowed"})


def listen(path: Path) -> socket.socket:
    """A listening socket at ``path``, for its owner only; a predecessor's is taken over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(fresh))
        fresh.chmod(0o600)
        listener.listen(8)
        fresh.replace(path)
    except OSError:
        listener.close()
        raise
    return listener
