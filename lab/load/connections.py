"""TCP requests, a new connection each: HTTP `GET /`, or one line to the echo.

A connection that is reset half-way is tried again within the request's second, as browsers do: a
move of the catchment resets what was in flight, and that is no loss to the user. It is counted.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Final

from lab.load.names import Names
from lab.load.plan import PATIENCE_NS, Probe
from lab.load.records import Record, Recorder
from lab.scenarios.targets import AddressTarget

PORTS: Final = {"http": 80, "tcp": 9001}
REQUESTS: Final = {
    "http": b"GET / HTTP/1.1\r\nHost: www.cdn.example\r\nConnection: close\r\n\r\n",
    "tcp": b"hello\n",
}
HEAD_START_S: Final = 0.25  # for the preferred family (RFC 8305, 5), before the next is tried
LONGEST_ANSWER: Final = 4096


class ConnectionProbe:
    """Probe number `number` of a plan."""

    def __init__(self, number: int, probe: Probe, recorder: Recorder, names: Names) -> None:
        self._number = number
        self._target = probe.target
        self._kind = probe.kind
        self._recorder = recorder
        self._names = names

    def open(self) -> None:
        """Nothing stays open between requests."""

    def close(self) -> None:
        """Nothing stays open between requests."""

    def expire(self, now_ns: int) -> None:
        """Every request keeps its own time."""

    def fire(self, tasks: asyncio.TaskGroup) -> None:
        """Send one request now."""
        tasks.create_task(self._request(time.time_ns()), name=self._kind)

    async def _request(self, sent_ns: int) -> None:
        retried = 0
        who = ""
        try:
            async with asyncio.timeout(PATIENCE_NS / 1e9):
                addresses = await self._addresses()
                while addresses and not who:
                    try:
                        who = await self._first_of(addresses)
                        break
                    except (ConnectionResetError, BrokenPipeError):
                        retried += 1
        except (OSError, ValueError):  # a time-out is an OSError
            who = ""
        replied = time.time_ns() if who else 0
        self._recorder.take(Record(self._number, sent_ns, replied, who, retried))

    async def _addresses(self) -> tuple[str, ...]:
        if isinstance(self._target, AddressTarget):
            return (self._target.address,)
        return await self._names.addresses(self._target.name, self._target.families)

    async def _first_of(self, addresses: tuple[str, ...]) -> str:
        """The answer at the first address, or at a later one when that is slow or unreachable."""
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(HEAD_START_S):
                    return await self._exchange(address)
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                raise
            except OSError:
                continue
        return await self._exchange(addresses[-1])

    async def _exchange(self, address: str) -> str:
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, (address, PORTS[self._kind]))
            await loop.sock_sendall(sock, REQUESTS[self._kind])
            answer = b""
            while not (who := _complete(self._kind, answer)):
                more = await loop.sock_recv(sock, LONGEST_ANSWER)
                if not more or len(answer) > LONGEST_ANSWER:
                    message = f"no answer in {answer[:80]!r}"
                    raise ValueError(message)
                answer += more
            return who


def _complete(kind: str, answer: bytes) -> str:
    """Who answered, or nothing while the answer is not whole.

    Raises:
        ValueError: it is whole, and it is no success.
    """
    if kind == "tcp":
        line, end, _ = answer.partition(b"\n")
        return line.split(b" ")[0].decode("ascii", "replace") if end else ""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return ""
    status, *headers = head.split(b"\r\n")
    if b" 200 " not in status:
        message = f"status {status[:80]!r}"
        raise ValueError(message)
    wanted = next(
        (
            int(line.split(b":")[1])
            for line in headers
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    return body.decode("ascii", "replace") if len(body) >= max(1, wanted) else ""
