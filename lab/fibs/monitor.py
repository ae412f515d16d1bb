"""All routers' forwarding tables in one place, and the path a packet would take through them.

One socket per node, read by whoever calls: `read()` takes what waits and never blocks; `events()`
is the same as an asynchronous stream. Every event is stamped when it is read (CLOCK_REALTIME), on
the one clock that all nodes of a lab share.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path as FilePath
from types import TracebackType
from typing import Final, Self

from lab.fibs.events import FibEvent, Path
from lab.fibs.netlink import (
    RTM_GETLINK,
    RTM_GETROUTE,
    DumpDone,
    LinkMessage,
    open_socket,
    parse,
    request_dump,
)
from lab.fibs.tables import BITS, Table, forwards, prefix_text
from lab.topology.shapes import Link

MOST_HOPS: Final = 32
DUMP_TIMEOUT_S: Final = 5.0


class FibMonitor:
    """Live forwarding tables of many nodes.

    Use as a context manager, or call `close`. Whether a node is silenced is not seen here: its
    tables stay as they are.
    """

    def __init__(self, namespaces: Mapping[str, FilePath | str], links: Iterable[Link]) -> None:
        """Open a socket per namespace and take in the present state.

        Args:
            namespaces: node -> path of its network namespace.
            links: between those nodes.

        Raises:
            OSError: a namespace cannot be entered.
            TimeoutError: a kernel did not answer.
        """
        self.tables = {node: Table() for node in namespaces}
        self._sockets: dict[str, socket.socket] = {}
        self._far: dict[tuple[str, str], tuple[str, str]] = {}
        self._numbers: dict[str, tuple[int, int]] = {}
        for link in links:
            a, b = (link.a.node, link.a.interface), (link.b.node, link.b.interface)
            self._far[a], self._far[b] = b, a
        try:
            for node, namespace in namespaces.items():
                self._sockets[node] = open_socket(namespace)
            for kind in (RTM_GETLINK, RTM_GETROUTE):
                self._dump(kind)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all sockets; tables stay readable."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    def read(self) -> list[FibEvent]:
        """Everything that happened since the last call, in the order it was read."""
        events: list[FibEvent] = []
        for node in self._sockets:
            self._drain(node, events)
        return events

    async def events(self) -> AsyncIterator[FibEvent]:
        """Events as they happen, until the caller stops or the monitor is closed."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[FibEvent] = asyncio.Queue()

        def arrived(node: str) -> None:
            events: list[FibEvent] = []
            self._drain(node, events)
            for event in events:
                waiting.put_nowait(event)

        watched = dict(self._sockets)
        for node, sock in watched.items():
            loop.add_reader(sock, arrived, node)
        try:
            while True:
                yield await waiting.get()
        finally:
            for sock in watched.values():
                if sock.fileno() >= 0:
                    loop.remove_reader(sock)

    def has_route(self, node: str, prefix: str) -> bool:
        """Whether `node` has exactly this prefix in its main table."""
        network, _, length = prefix.partition("/")
        family, number = self._number(network)
        return self.tables[node].has(family, number, int(length))

    def routes(self, nodes: Iterable[str]) -> dict[tuple[str, str], str]:
        """(node, prefix) -> next hop, of every route that forwards at these nodes now."""
        return {
            (node, prefix_text(route)): self.tables[node].next_hop(route)
            for node in nodes
            for route in self.tables[node].routes()
            if forwards(route)
        }

    def covers(self, node: str, address: str) -> bool:
        """Whether `node` forwards packets for `address` by any route."""
        route = self.tables[node].lookup(*self._number(address))
        return route is not None and forwards(route)

    def walk(self, start: str, address: str) -> Path:
        """Follow packets for `address` from `start`, table by table."""
        family, number = self._number(address)
        node = start
        seen: list[str] = []
        while len(seen) < MOST_HOPS:
            if node in seen:
                return Path("loop", (*seen, node))
            seen.append(node)
            table = self.tables[node]
            if table.is_local(family, number):
                return Path("local", tuple(seen), node)
            route = table.lookup(family, number)
            if route is None or not forwards(route):
                return Path("blackhole", tuple(seen))
            link = table.links.get(route.interface)
            far = self._far.get((node, link.name)) if link is not None and link.works else None
            if far is None or not self._usable(*far):
                return Path("blackhole", tuple(seen))
            node = far[0]
        return Path("loop", tuple(seen))

    def _usable(self, node: str, interface: str) -> bool:
        """Whether that end of a link is up (a cut is seen at once only where it was made)."""
        table = self.tables.get(node)
        if table is None:
            return False
        return any(link.name == interface and link.up for link in table.links.values())

    def _number(self, address: str) -> tuple[int, int]:
        known = self._numbers.get(address)
        if known is None:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            packed = socket.inet_pton(family, address)
            known = (6 if ":" in address else 4, int.from_bytes(packed, "big"))
            assert len(packed) * 8 == BITS[known[0]]
            self._numbers[address] = known
        return known

    def _drain(self, node: str, events: list[FibEvent]) -> bool:
        """Read a node's socket empty; whether a dump ended meanwhile."""
        done = False
        sock = self._sockets[node]
        while True:
            try:
                data = sock.recv(1 << 18, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return done
            now = time.clock_gettime_ns(time.CLOCK_REALTIME)
            for message in parse(data):
                if isinstance(message, DumpDone):
                    done = True
                    continue
                table = self.tables[node]
                if isinstance(message, LinkMessage):
                    changes = table.apply_link(message)
                else:
                    changes = table.apply_route(message)
                events += [
                    FibEvent(
                        t_ns=now,
                        node=node,
                        what=change.what,
                        prefix=change.prefix,
                        gateway=change.gateway,
                        interface=change.interface,
                    )
                    for change in changes
                ]

    def _dump(self, kind: int) -> None:
        """Ask every node for all it has, and take it in."""
        for sock in self._sockets.values():
            request_dump(sock, kind)
        missing = {sock: node for node, sock in self._sockets.items()}
        deadline = time.monotonic() + DUMP_TIMEOUT_S
        while missing:
            left = deadline - time.monotonic()
            ready, _, _ = select.select(list(missing), [], [], max(0.0, left))
            if not ready:
                msg = f"no answer from the kernel for {', '.join(missing.values())}"
                raise TimeoutError(msg)
            for sock in ready:
                if self._drain(missing[sock], []):
                    del missing[sock]
