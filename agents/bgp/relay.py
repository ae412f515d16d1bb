"""Lines between ExaBGP and whoever attaches to a unix socket; the part of the bridge that reads.

ExaBGP writes to a helper with blocking writes: a helper that does not read stops every BGP
session at the hold timer. So this does one thing: it always reads. With nobody attached it drops
what ExaBGP says (whoever attaches later asks for the state anyway); an agent that stops reading
is cut off once ``LARGEST_BACKLOG`` bytes wait for it. The newest client wins.

Whole lines only, both ways: a client never starts in the middle of a line, and half a command of
a client that died is thrown away. Lines that begin with ``#`` are for the bridge (its
:class:`Aside`) and never reach ExaBGP. The sixth death of a helper within a minute ends ExaBGP, so
nothing that goes wrong here ends this process: a client that is trouble is sent away, a socket
that cannot be made, or was removed, is made again every second.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

LARGEST_BACKLOG = 8 * 1024 * 1024
LONGEST_COMMAND = 1024 * 1024
LOOK = 1.0
# To clients that say ``#hello``, and to no others: those of earlier releases do not expect it.
GREETING = b"#bridge heartbeat restart close\n"
_CHUNK = 65536


class Aside(Protocol):
    """What the bridge does beside relaying; must not block."""

    def fileno(self) -> int:
        """Readable when there is a reason to look."""

    def heed(self, line: bytes, now: float) -> None:
        """Takes in a line the client wrote for the bridge, without its ``#``."""

    def look(self, now: float) -> bytes:
        """Looks at the clock, once a second or sooner; gives whole lines for ExaBGP."""


class Relay:
    """Three ends (ExaBGP's pipe in, its pipe out, at most one client) and what waits for them."""

    def __init__(self, path: str, source: int, sink: int, aside: Aside) -> None:
        self._selector = selectors.DefaultSelector()
        self._path, self._source, self._sink, self._aside = path, source, sink, aside
        self._listener: socket.socket | None = None
        self._listen_at = 0.0
        self._closing = False
        self._client: socket.socket | None = None
        self._at_line_start = True
        self._skipping = False
        self._greeting_due = False
        self._to_client = bytearray()
        self._from_client = bytearray()
        self._to_exabgp = bytearray()
        for each in (source, sink):
            os.set_blocking(each, False)
        self._selector.register(source, selectors.EVENT_READ)
        self._selector.register(aside.fileno(), selectors.EVENT_READ)

    def run(self, listening: Callable[[], None]) -> None:
        """Relays until ExaBGP closes its end; ``listening`` is called when one may attach."""
        self._look()
        listening()
        while True:
            for key, mask in self._selector.select(LOOK):
                if key.fd == self._source:
                    if not self._hear_exabgp():
                        return
                else:
                    self._attend(key, mask)
            self._look()

    def _look(self) -> None:
        """What time alone brings: the socket is still there, and what the aside wants said."""
        now = time.monotonic()
        try:
            if now >= self._listen_at:
                self._listen_at = now + LOOK
                self._keep_listening()
            if lines := self._aside.look(now):
                self._dismiss()  # the answers would be taken for answers to its own commands
                self._to_exabgp += lines
                self._tell_exabgp()
        except Exception as fault:  # noqa: BLE001 - nothing may end this process
            _complain(fault)

    def _keep_listening(self) -> None:
        if self._closing or (self._listener is not None and Path(self._path).exists()):
            return
        self._stop_listening()
        self._listener = _listen(self._path)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _attend(self, key: selectors.SelectorKey, mask: int) -> None:
        """Everybody but ExaBGP; whatever fails, the client goes and the bridge stays."""
        try:
            if key.fd == self._sink:
                self._tell_exabgp()
            elif key.fileobj is self._listener:
                self._welcome()
            elif key.fileobj is self._client:
                self._serve(mask)
        except Exception as fault:  # noqa: BLE001 - nothing may end this process
            _complain(fault)
            self._dismiss()

    def _hear_exabgp(self) -> bool:
        try:
            data = os.read(self._source, _CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        if self._client is not None:
            fresh = data
            if self._skipping:
                _, newline, fresh = data.partition(b"\n")
                self._skipping = not newline
            self._to_client += fresh
        self._at_line_start = data.endswith(b"\n")
        self._greet()
        self._tell_client()
        return True

    def _greet(self) -> None:
        """Tells a client that asked what else we heed, between two lines of ExaBGP's."""
        if self._greeting_due and (self._at_line_start or self._skipping):
            self._greeting_due = False
            self._to_client += GREETING

    def _tell_client(self) -> None:
        if self._client is None:
            return
        try:
            sent = self._client.send(self._to_client) if self._to_client else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._dismiss()
            return
        del self._to_client[:sent]
        if len(self._to_client) > LARGEST_BACKLOG:
            self._dismiss()
        else:
            self._watch_client()

    def _serve(self, mask: int) -> None:
        if mask & selectors.EVENT_READ:
            self._hear_client()
        if mask & selectors.EVENT_WRITE:
            self._tell_client()

    def _hear_client(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._from_client += data
        end = self._from_client.rfind(b"\n") + 1
        self._to_exabgp += self._for_exabgp(bytes(self._from_client[:end]))
        del self._from_client[:end]
        if not data or len(self._from_client) > LONGEST_COMMAND:
            self._dismiss()
        if end:
            self._tell_exabgp()

    def _for_exabgp(self, lines: bytes) -> bytes:
        """``lines`` without those that are for us, which are heeded."""
        if not lines.startswith(b"#") and b"\n#" not in lines:
            return lines
        kept = []
        for line in lines.split(b"\n")[:-1]:
            if line == b"#close":
                self._closing = True
                self._stop_listening()
            elif line == b"#hello":
                self._greeting_due = True
                self._greet()
            elif line.startswith(b"#"):
                self._aside.heed(line[1:], time.monotonic())
            else:
                kept.append(line + b"\n")
        return b"".join(kept)

    def _tell_exabgp(self) -> None:
        try:
            sent = os.write(self._sink, self._to_exabgp)
        except BlockingIOError:
            sent = 0
        except BrokenPipeError:
            sent = len(self._to_exabgp)
        del self._to_exabgp[:sent]
        watched = self._sink in self._selector.get_map()
        if self._to_exabgp and not watched:
            self._selector.register(self._sink, selectors.EVENT_WRITE)
        elif watched and not self._to_exabgp:
            self._selector.unregister(self._sink)
        self._watch_client()

    def _welcome(self) -> None:
        assert self._listener is not None
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        self._dismiss()
        client.setblocking(False)
        self._client = client
        self._skipping = not self._at_line_start
        self._greeting_due = False
        self._selector.register(client, selectors.EVENT_READ)

    def _dismiss(self) -> None:
        if self._client is None:
            return
        if self._client in self._selector.get_map():
            self._selector.unregister(self._client)
        self._client.close()
        self._client = None
        self._to_client.clear()
        self._from_client.clear()

    def _watch_client(self) -> None:
        """Reads from the client only while ExaBGP keeps up; writes only while something waits."""
        if self._client is None:
            return
        wanted = selectors.EVENT_WRITE if self._to_client else 0
        if len(self._to_exabgp) < LONGEST_COMMAND:
            wanted |= selectors.EVENT_READ
        watched = self._client in self._selector.get_map()
        if watched and wanted:
            self._selector.modify(self._client, wanted)
        elif watched:
            self._selector.unregister(self._client)
        elif wanted:
            self._selector.register(self._client, wanted)


def _listen(path: str) -> socket.socket:
    """Listens at ``path``, taking it over in one step from a predecessor that may be dying."""
    fresh = f"{path}.{os.getpid()}"
    Path(fresh).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(fresh)
    Path(fresh).chmod(0o600)
    listener.listen(4)
    listener.setblocking(False)
    Path(fresh).replace(path)
    return listener


def _complain(fault: Exception) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"bridge: {type(fault).__name__}: {fault}\n")
        sys.stderr.flush()
