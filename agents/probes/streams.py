"""Checks over TCP: that somebody accepts, and that HTTP answers with a good status.

A request is one line of head and its answer one line of status (RFC 9112 section 4); a library
would bring connection pools and redirects, which a check must not have: each asks anew, and what
the first answer says counts.
"""

from __future__ import annotations

import asyncio
import socket
import ssl

from agents.probes.hysteresis import Failed, Outcome, Passed
from agents.probes.local import connect
from ambicast.model.services import Check, Service

_LONGEST_LINE = 4096


async def ask_tcp(service: Service, port: int) -> Outcome:
    """Whether the connection is accepted."""
    (await connect(service, port, socket.SOCK_STREAM)).close()
    return Passed()


async def ask_http(
    service: Service, check: Check, name: str, tls: ssl.SSLContext | None
) -> Outcome:
    """Whether ``GET path`` is answered with 2xx or 3xx; with ``tls``, by an owner of ``name``."""
    opened = await connect(service, check.port, socket.SOCK_STREAM)
    reader, writer = await asyncio.open_connection(
        sock=opened,
        ssl=tls,
        server_hostname=name if tls else None,
        limit=_LONGEST_LINE,
    )
    try:
        head = (
            f"GET {check.path} HTTP/1.1\r\nHost: {name}\r\n"
            "User-Agent: ambicast\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode())
        return _judge(await reader.readuntil(b"\r\n"))
    finally:
        writer.transport.abort()


def _judge(line: bytes) -> Outcome:
    version, _, rest = line.partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/") or not status.isdigit():
        return Failed("not http")
    if b"200" <= status < b"400":
        return Passed()
    return Failed(f"http {status.decode()}")
