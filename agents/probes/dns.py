"""The check of a nameserver: it answers a question for a name, over UDP."""

from __future__ import annotations

import asyncio
import socket

import dns.exception
import dns.message
import dns.rcode

from agents.probes.hysteresis import Failed, Outcome, Passed
from agents.probes.local import connect
from ambicast.model.services import Service

_LARGEST = 65535


async def ask_dns(service: Service, port: int, name: str) -> Outcome:
    """Whether ``name`` is answered without an error and with at least one record."""
    query = dns.message.make_query(name, "A", use_edns=0)
    loop = asyncio.get_running_loop()
    opened = await connect(service, port, socket.SOCK_DGRAM)
    try:
        await loop.sock_sendall(opened, query.to_wire())
        while True:
            outcome = _judge(query, await loop.sock_recv(opened, _LARGEST))
            if outcome is not None:
                return outcome
    finally:
        opened.close()


def _judge(query: dns.message.Message, wire: bytes) -> Outcome | None:
    """The outcome; none for a datagram that answers another question."""
    try:
        answer = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return Failed("not dns")
    if not query.is_response(answer):
        return None
    if answer.rcode() != dns.rcode.NOERROR:
        return Failed(f"dns {dns.rcode.to_text(answer.rcode()).lower()}")
    return Passed() if answer.answer else Failed("dns empty")
