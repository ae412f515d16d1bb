"""Telling the service manager how a program fares (sd_notify(3)): ready, alive, stopping.

systemd hands a service of type ``notify`` a datagram socket by ``NOTIFY_SOCKET``, and says in
``WATCHDOG_USEC`` how long it may be silent before it is taken for stuck, killed and started
again. So the sign of life must come from the very loop that decides: a thread or a task of its own
would go on ticking over a loop that stands still.

Without these variables (a lab, a terminal) nothing is sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping

# A sign of life is given this many times within the watchdog's patience.
SIGNS = 4


class ServiceManager:
    """The way to whoever started us; every method is quiet where nobody listens."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, pid: int | None = None
    ) -> None:
        """From ``os.environ`` and this process, unless a test says otherwise."""
        given = os.environ if environment is None else environment
        self._address = _address(given.get("NOTIFY_SOCKET", ""))
        self._every = _patience(given, os.getpid() if pid is None else pid) / SIGNS
        self._last = float("-inf")
        self._ready = False
        self._status = ""

    def turned(self, now: float, status: str) -> None:
        """The deciding loop has made a turn; ``now`` in seconds of its own clock.

        The first turn says ``READY=1``, later ones ``WATCHDOG=1`` now and then; ``status`` is one
        line for ``systemctl status``, sent when it changed.
        """
        words = []
        if not self._ready:
            self._ready = True
            words.append("READY=1")
        if self._every and now - self._last >= self._every:
            self._last = now
            words.append("WATCHDOG=1")
        if status != self._status:
            self._status = status
            words.append(f"STATUS={' '.join(status.split())}")
        self._say(words)

    def stopping(self) -> None:
        """The program was asked to stop, and does."""
        self._say(["STOPPING=1"])

    def _say(self, words: list[str]) -> None:
        if self._address is None or not words:
            return
        # Nothing in here is worth a fault, and a full socket not worth waiting for.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            way.sendto("\n".join(words).encode(), self._address)


def _address(text: str) -> str | None:
    """Paths as they are; ``@name`` is a socket without a file (unix(7), abstract)."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else None


def _patience(given: Mapping[str, str], pid: int) -> float:
    """The watchdog's patience in seconds; 0 where there is none, or it means another process."""
    if given.get("WATCHDOG_PID", str(pid)) != str(pid):
        return 0.0
    with contextlib.suppress(ValueError):
        return int(given.get("WATCHDOG_USEC", "0")) / 1_000_000
    return 0.0
