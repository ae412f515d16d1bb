"""The agent's way to the responder: its word, one datagram each (:mod:`agents.watch.answers`)."""

from __future__ import annotations

import socket
from pathlib import Path

import structlog

log = structlog.get_logger()


class Messenger:
    """Sends to the responder's socket. Never blocks, never fails; says when that changes.

    Each datagram goes to the path, not along a connection, so that a responder that was restarted
    is reached by the next one.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._reached: bool | None = None

    def __call__(self, word: bytes) -> None:
        """Tell the responder the whole word."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as way:
                way.sendto(word, self._path)
        except OSError as fault:
            self._note(reached=False, reason=str(fault))
        else:
            self._note(reached=True)

    def _note(self, *, reached: bool, reason: str = "") -> None:
        if reached is not self._reached:
            self._reached = reached
            if reached:
                log.info("responder reached")
            else:
                log.warning("responder not reached", path=self._path, reason=reason)
