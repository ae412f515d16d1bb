"""ExaBGP's only helper: a relay (see :mod:`agents.bgp.relay`) with a dead man's switch.

Beside relaying it heeds lines that begin with ``#``:

``#hello``
    is answered with what else is heeded (a bridge of an earlier release hands it to ExaBGP);
``#heartbeat {json}``
    the agent is well, and this is what may be withdrawn should it fall silent
    (see :mod:`agents.bgp.deadman`);
``#restart``
    ExaBGP does not answer: kill it; whoever started it starts it again;
``#close``
    ExaBGP is about to be stopped: nobody else may attach.

ExaBGP runs it as ``python -I .../agents/bgp/bridge.py SOCKET [RESPONDER]``, by path. Standard
library only, and of ours only the files beside this one and :mod:`ambicast.notify`: it must start
in milliseconds, and run with whatever ExaBGP runs with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

if __name__ == "__main__":  # run by path: what is beside us is found from here
    sys.path.insert(0, __file__.rsplit("/", 3)[0])

from agents.bgp.deadman import Switch
from agents.bgp.relay import LARGEST_BACKLOG, Relay
from ambicast.notify import ServiceManager

__all__ = ["LARGEST_BACKLOG", "Bridge", "main"]

INIT = 1


class Bridge:
    """What the bridge does beside relaying: the switch, and ExaBGP's end when it is stuck."""

    def __init__(self, responder: str | None, exabgp: int) -> None:
        """``responder`` is a unix datagram socket that is told about the switch."""
        self._responder, self._exabgp = responder, exabgp
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._datagrams.setblocking(False)
        self._switch = Switch(self._tell_responder)

    def fileno(self) -> int:
        """Readable when a check of the switch's has an outcome."""
        return self._switch.fileno()

    def heed(self, line: bytes, now: float) -> None:
        """One line for the bridge; what it does not know it ignores."""
        word, _, rest = line.partition(b" ")
        if word == b"heartbeat":
            try:
                self._switch.heartbeat(rest, now)
            except (ValueError, KeyError, TypeError) as fault:
                sys.stderr.write(f"bridge: heartbeat not understood: {fault!r}\n")
        elif word == b"restart":
            self._kill_exabgp()

    def look(self, now: float) -> bytes:
        """What the switch has to say to ExaBGP."""
        return self._switch.look(now)

    def _kill_exabgp(self) -> None:
        """Only the process that started us, and only while it is our parent still."""
        if self._exabgp != INIT and os.getppid() == self._exabgp:
            os.kill(self._exabgp, signal.SIGKILL)

    def _tell_responder(self, word: bytes) -> None:
        if self._responder is not None:
            with contextlib.suppress(OSError):
                self._datagrams.sendto(word, self._responder)


def main() -> None:
    """Relays until ExaBGP ends; a terminal's ^C is ExaBGP's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path, responder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    bridge = Bridge(responder, os.getppid())
    relay = Relay(path, sys.stdin.fileno(), sys.stdout.fileno(), bridge)
    # ExaBGP starts us when it has read its configuration, and once we listen an agent may attach:
    # that is what "started" means for the two of them. ExaBGP itself says nothing to systemd.
    relay.run(lambda: ServiceManager().turned(0.0, "the bridge listens"))


if __name__ == "__main__":
    main()
