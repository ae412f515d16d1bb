"""ExaBGP's only helper: it relays lines between ExaBGP and whoever attaches to a unix socket.

ExaBGP writes to a helper with blocking writes: a helper that does not read stops every BGP
session at the hold timer. So this process does one thing: it always reads. With nobody attached
it drops what ExaBGP says (whoever attaches later asks for the state anyway); an agent that stops
reading is cut off once ``LARGEST_BACKLOG`` bytes wait for it. The newest client wins.

Whole lines only, both ways: a client never starts in the middle of a line, and half a command of
a client that died is thrown away. It ends when ExaBGP does (end of its standard input).

Run as ``python bridge.py SOCKET`` by ExaBGP. Standard library only, no imports of ours: it must
start in milliseconds, and run with whatever ExaBGP runs with.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
from pathlib import Path

LARGEST_BACKLOG = 8 * 1024 * 1024
LONGEST_COMMAND = 1024 * 1024
_CHUNK = 65536


class Bridge:
    """Three ends (ExaBGP's pipe in, its pipe out, at most one client) and what waits for them."""

    def __init__(self, path: str, source: int, sink: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._source, self._sink = source, sink
        self._listener = _listen(path)
        self._client: socket.socket | None = None
        self._at_line_start = True
        self._skipping = False
        self._to_client = bytearray()
        self._from_client = bytearray()
        self._to_exabgp = bytearray()
        for each in (source, sink):
            os.set_blocking(each, False)
        self._selector.register(source, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Relays until ExaBGP closes its end."""
        while True:
            for key, mask in self._selector.select():
                if key.fd == self._source:
                    if not self._hear_exabgp():
                        return
                elif key.fd == self._sink:
                    self._tell_exabgp()
                elif key.fileobj is self._listener:
                    self._welcome()
                elif key.fileobj is self._client:
                    self._serve(mask)

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
            self._tell_client()
        self._at_line_start = data.endswith(b"\n")
        return True

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
        self._to_exabgp += self._from_client[:end]
        del self._from_client[:end]
        if not data or len(self._from_client) > LONGEST_COMMAND:
            self._dismiss()
        if end:
            self._tell_exabgp()

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
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        self._dismiss()
        client.setblocking(False)
        self._client = client
        self._skipping = not self._at_line_start
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


def main() -> None:
    """Relays until ExaBGP ends; a terminal's ^C is ExaBGP's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Bridge(sys.argv[1], sys.stdin.fileno(), sys.stdout.fileno()).run()


if __name__ == "__main__":
    main()
