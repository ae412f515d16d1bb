"""Real questions to a running nameserver, many at once.

One UDP socket per examination; questions that got no answer are sent again, because a full socket
buffer loses datagrams without a word.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from agents.answering.proofs import Answer, Question

Answers = Mapping[Question, Answer | None]

_WINDOW = 64
_TRIES = 3
_PATIENCE = 0.2


class SilentError(Exception):
    """Nothing can be sent to this address, or nobody there answers."""


class _Asker(asyncio.DatagramProtocol):
    """Sends one window of questions and collects their answers by query id."""

    def __init__(self) -> None:
        self.answers: dict[int, Answer] = {}
        self.complete = asyncio.Event()
        self._expected = 0

    def expect(self, count: int) -> None:
        """A new window of ``count`` questions, with ids from 0."""
        self.answers.clear()
        self.complete.clear()
        self._expected = count

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            reply = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        if reply.id < self._expected:
            self.answers[reply.id] = _answer(reply)
        if len(self.answers) == self._expected:
            self.complete.set()

    def error_received(self, exc: Exception) -> None:
        """Port unreachable and the like: the missing answer tells."""


async def ask(server: str, port: int, questions: Sequence[Question]) -> Answers:
    """The answers of the server at ``server``; none for a question that got none.

    Raises:
        SilentError: nobody answered anything in a fifth of a second.
    """
    loop = asyncio.get_running_loop()
    found: dict[Question, Answer | None] = {}
    try:
        transport, asker = await loop.create_datagram_endpoint(_Asker, remote_addr=(server, port))
    except OSError as fault:
        raise SilentError(f"cannot ask {server}: {fault}") from None
    try:
        for start in range(0, len(questions), _WINDOW):
            window = questions[start : start + _WINDOW]
            found.update(await _ask_window(transport, asker, window))
            if not asker.answers:
                raise SilentError(f"no answer from {server} port {port}")
    finally:
        transport.close()
    return found


async def _ask_window(
    transport: asyncio.DatagramTransport, asker: _Asker, window: Sequence[Question]
) -> Answers:
    asker.expect(len(window))
    for _ in range(_TRIES):
        for number, question in enumerate(window):
            if number not in asker.answers:
                transport.sendto(_spell(question, number))
        try:
            async with asyncio.timeout(_PATIENCE):
                await asker.complete.wait()
        except TimeoutError:
            if not asker.answers:
                break
    return {question: asker.answers.get(number) for number, question in enumerate(window)}


def _spell(question: Question, number: int) -> bytes:
    options: list[dns.edns.Option] = []
    if question.subnet is not None:
        subnet = ipaddress.ip_network(question.subnet)
        options = [dns.edns.ECSOption(str(subnet.network_address), subnet.prefixlen)]
    query = dns.message.make_query(
        question.name, question.type, use_edns=0, options=options, id=number, flags=0
    )
    return query.to_wire()


def _answer(reply: dns.message.Message) -> Answer:
    asked = reply.question[0] if reply.question else None
    alias = next((rrset for rrset in reply.answer if _is(rrset, "CNAME")), None)
    data = [
        record.to_text()
        for rrset in reply.answer
        if asked is not None and rrset.rdtype == asked.rdtype
        for record in rrset
    ]
    scopes = [each.scopelen for each in reply.options if isinstance(each, dns.edns.ECSOption)]
    return Answer(
        rcode=dns.rcode.to_text(reply.rcode()),
        alias=str(alias[0]).lower() if alias else None,
        data=tuple(sorted(data)),
        ttl=min((rrset.ttl for rrset in reply.answer), default=None),
        scope=scopes[0] if scopes else None,
    )


def _is(rrset: dns.rrset.RRset, kind: str) -> bool:
    return bool(rrset.rdtype == dns.rdatatype.from_text(kind))
