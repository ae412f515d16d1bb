"""UDP and TCP echoes which put the PoP's name before what they were sent."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol

IP_PKTINFO = 8  # linux/in.h; the socket module names it from Python 3.12 on
PKTINFO4 = struct.Struct("=I4s4s")  # interface index, local address, header destination
PKTINFO6 = struct.Struct("=16sI")


class Health(Protocol):
    """Whether to answer."""

    ok: bool


class UdpEcho:
    """Answers every datagram from the address it was sent to.

    A wildcard socket's replies would leave with the outgoing interface's address, which a client
    that asked a service address drops.
    """

    def __init__(self, pop: str, health: Health, address: str, port: int) -> None:
        """Listen on a wildcard `address` of either family."""
        v6 = ":" in address
        self._pop = pop.encode() + b" "
        self._health = health
        self._v6 = v6
        self.socket = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if v6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.socket.setblocking(False)
        self.socket.bind((address, port))

    def answer(self) -> None:
        """Answer everything that waits."""
        while True:
            try:
                data, control, _, peer = self.socket.recvmsg(2048, 128)
            except BlockingIOError:
                return
            if not self._health.ok:
                continue
            try:
                self.socket.sendmsg([self._pop, data], self._source(control), 0, peer)
            except OSError:
                continue  # the address went away, or there is no way back: as good as lost

    def _source(self, control: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """Control data that sends from the request's destination, by any interface."""
        for level, kind, data in control:
            if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
                _, _, destination = PKTINFO4.unpack_from(data)
                info = PKTINFO4.pack(0, destination, bytes(4))
                return [(level, kind, info)]
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                destination, _ = PKTINFO6.unpack_from(data)
                return [(level, kind, PKTINFO6.pack(destination, 0))]
        return []


class LineEcho(asyncio.Protocol):
    """Answers every line of a TCP connection."""

    def __init__(self, pop: str, health: Health) -> None:
        """One per connection."""
        self._pop = pop.encode() + b" "
        self._health = health
        self._partial = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer all complete lines."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if self._health.ok and self._transport is not None and lines:
            self._transport.write(b"".join(self._pop + line + b"\n" for line in lines))
