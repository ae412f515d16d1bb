"""As much HTTP/1.1 (RFC 9112) as the lab's clients and checks speak: GET, keep-alive, close."""

from __future__ import annotations

import asyncio
from typing import Protocol

from lab.nodes.echo import Health

MOST_HEAD = 16384


class Checked(Health, Protocol):
    """What the check says besides."""

    @property
    def checked(self) -> bool: ...


class Web(asyncio.Protocol):
    """One HTTP connection: `/` names the PoP, `/healthz` says whether the service works."""

    def __init__(self, pop: str, health: Checked) -> None:
        """One per connection."""
        self._pop = pop.encode()
        self._health = health
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer all complete request heads; bodies are not expected."""
        self._buffer += data
        while self._transport is not None:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                if len(head) > MOST_HEAD:
                    self._transport.abort()
                return
            self._buffer = rest
            self._answer(self._transport, head)

    def _answer(self, transport: asyncio.Transport, head: bytes) -> None:
        request, _, headers = head.partition(b"\r\n")
        path = [*request.split(b" "), b"", b""][1]
        if path == b"/healthz":
            status, body = (b"200 OK", b"ok") if self._health.checked else _FAILED
        elif not self._health.ok:
            return
        elif path == b"/":
            status, body = b"200 OK", self._pop
        else:
            status, body = b"404 Not Found", b"not found"
        close = b"connection: close" in headers.lower() or request.endswith(b"HTTP/1.0")
        transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n%s"
            % (status, len(body), b"Connection: close\r\n" if close else b"", body)
        )
        if close:
            transport.close()


_FAILED = (b"503 Service Unavailable", b"failed")
