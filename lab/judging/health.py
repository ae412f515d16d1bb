"""The service check of each PoP, made by the runner from inside the PoP: `GET /healthz` is 200?"""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Final

from lab.fibs.namespaces import inside

REQUEST: Final = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PATIENCE_S: Final = 0.25


async def answers(namespace: Path) -> bool:
    """Whether the service in that network namespace passes its check now."""
    loop = asyncio.get_running_loop()
    try:
        with inside(namespace):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return False
    with sock:
        sock.setblocking(False)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await loop.sock_connect(sock, ("127.0.0.1", 80))
                await loop.sock_sendall(sock, REQUEST)
                return b" 200 " in (await loop.sock_recv(sock, 256)).split(b"\r\n")[0]
        except OSError:
            return False
