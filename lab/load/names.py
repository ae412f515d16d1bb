"""A client's own resolver cache: asks the network's resolver, and keeps answers for their TTL.

Nothing is used past its TTL, and every client that waits for the same name shares one query.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final

from lab.load.dnswire import QUERY_TYPE, Answer, DnsError, numbered, parse_answer, query

TRIES: Final = 3
TRY_S: Final = 0.3


class NameUnknown(Exception):  # noqa: N818 - it names what happened
    """The resolver gave no address in time."""


class Resolver:
    """Asks one DNS server over UDP; answers find their query by its id."""

    def __init__(self, address: str, port: int = 53) -> None:
        self._server = (address, port)
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def open(self) -> None:
        """Start listening in the running loop."""
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def ask(self, name: str, family: str, tries: int = TRIES) -> Answer:
        """What the server answers.

        Raises:
            NameUnknown: no answer in time.
        """
        prebuilt = query(name, QUERY_TYPE[family], recurse=True)
        for _ in range(tries):
            self._number = (self._number + 1) % 0x10000
            number = self._number
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting[number] = answer
            try:
                self._socket.sendto(numbered(prebuilt, number), self._server)
                async with asyncio.timeout(TRY_S):
                    return await answer
            except (TimeoutError, OSError):
                continue
            finally:
                self._waiting.pop(number, None)
        raise NameUnknown(name)

    def _readable(self) -> None:
        while True:
            try:
                data = self._socket.recv(4096)
            except OSError:
                return
            try:
                answer = parse_answer(data)
            except DnsError:
                continue
            waiting = self._waiting.get(answer.number)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)


class Names:
    """The cache. `clock` is in seconds and never goes back; queries run in `tasks`."""

    def __init__(
        self, resolver: Resolver, tasks: asyncio.TaskGroup, clock: Callable[[], float]
    ) -> None:
        self._resolver = resolver
        self._tasks = tasks
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
        self._asked: dict[tuple[str, str], asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, name: str, families: Sequence[str]) -> tuple[str, ...]:
        """The addresses of `name`, one per family that has any, in the order of `families`."""
        found = [await self._of(name, family) for family in families]
        return tuple(each[0] for each in found if each)

    async def _of(self, name: str, family: str) -> tuple[str, ...]:
        key = (name, family)
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        task = self._asked.get(key)
        if task is None:
            task = self._tasks.create_task(self._ask(key), name=f"resolve[{name} {family}]")
            self._asked[key] = task
        return await asyncio.shield(task)

    async def _ask(self, key: tuple[str, str]) -> tuple[str, ...]:
        try:
            answer = await self._resolver.ask(*key)
        except NameUnknown:
            return ()
        finally:
            del self._asked[key]
        if answer.rcode == 0 and answer.addresses:
            self._kept[key] = (self._clock() + answer.ttl, answer.addresses)
        return answer.addresses
