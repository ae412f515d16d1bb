"""Asking every nameserver what it would tell each client network, with real ECS queries.

Queries leave from the client's own namespace, so the way to the nameserver is the client's. Each
nameserver is asked at all its IPv4 addresses at once: a silent uplink does not make it mute.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from lab.fibs.namespaces import inside
from lab.judging.world import Answered
from lab.load.dnswire import QUERY_TYPE, DnsError, numbered, parse_answer, query
from lab.topology.internet import Client

DNS_PORT: Final = 53
ROUND_BITS: Final = 10  # of a query's id; the rest says which question it was


class Heard(msgspec.Struct, frozen=True):
    """The last answer to a question: None for no address; and the round it was asked in."""

    address: str | None
    asked_ns: int


class Asker:
    """All questions of all clients; `on_answer` is called with each answer as it arrives."""

    def __init__(
        self,
        clients: Mapping[Client, Path],
        nameservers: Mapping[str, Sequence[str]],
        name: str,
        on_answer: Callable[[Answered, Heard], None],
    ) -> None:
        """Makes the sockets.

        Args:
            clients: each client network and the network namespace to ask from.
            nameservers: name -> addresses.
            name: what is asked for.
            on_answer: called in the loop.
        """
        self._nameservers = {
            each: [a for a in addresses if ":" not in a] for each, addresses in nameservers.items()
        }
        self._on_answer = on_answer
        self._asked_ns = [0] * (1 << ROUND_BITS)
        self._round = 0
        self._questions: list[tuple[Answered, bytes, socket.socket]] = []
        self._sockets: list[socket.socket] = []
        for client, namespace in clients.items():
            with inside(namespace):
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            self._sockets.append(sock)
            for family, kind in QUERY_TYPE.items():
                prebuilt = query(name, kind, recurse=False, subnet=client.networks[family])
                for nameserver in nameservers:
                    asked = Answered(client.name, family, nameserver)
                    self._questions.append((asked, prebuilt, sock))

    def open(self) -> None:
        """Listen in the running loop."""
        for sock in self._sockets:
            asyncio.get_running_loop().add_reader(sock, self._readable, sock)

    def close(self) -> None:
        """Stop listening."""
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()

    def questions(self, nameservers: Sequence[str]) -> tuple[Answered, ...]:
        """What is asked of these nameservers."""
        return tuple(asked for asked, _, _ in self._questions if asked.nameserver in nameservers)

    def ask(self, nameservers: Sequence[str]) -> int:
        """Send all questions to these nameservers; returns when that was."""
        self._round = (self._round + 1) % (1 << ROUND_BITS)
        now_ns = time.time_ns()
        self._asked_ns[self._round] = now_ns
        for place, (asked, prebuilt, sock) in enumerate(self._questions):
            if asked.nameserver not in nameservers:
                continue
            data = numbered(prebuilt, place << ROUND_BITS | self._round)
            for address in self._nameservers[asked.nameserver]:
                with contextlib.suppress(OSError):  # no route just now: no answer
                    sock.sendto(data, (address, DNS_PORT))
        return now_ns

    def _readable(self, sock: socket.socket) -> None:
        while True:
            try:
                data = sock.recv(4096)
            except OSError:
                return
            try:
                answer = parse_answer(data)
            except DnsError:
                continue
            place, number = answer.number >> ROUND_BITS, answer.number % (1 << ROUND_BITS)
            if place >= len(self._questions):
                continue
            address = answer.addresses[0] if answer.rcode == 0 and answer.addresses else None
            self._on_answer(self._questions[place][0], Heard(address, self._asked_ns[number]))
