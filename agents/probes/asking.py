"""One check, once: how each kind asks, and what it makes of the answer."""

from __future__ import annotations

import asyncio
import ssl

import structlog

from agents.probes.dns import ask_dns
from agents.probes.hysteresis import Failed, Outcome
from agents.probes.streams import ask_http, ask_tcp
from ambicast.model.services import Check, CheckKind, Service

log = structlog.get_logger()

_IN_FEW_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "reset"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
)


async def ask(service: Service, check: Check, tls: ssl.SSLContext) -> Outcome:
    """The outcome of ``check``; nothing that goes wrong outside raises."""
    try:
        async with asyncio.timeout(check.timeout):
            return await _ask(service, check, tls)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as fault:
        return Failed(_in_few_words(fault))


async def _ask(service: Service, check: Check, tls: ssl.SSLContext) -> Outcome:
    name = check.name or (service.names[0] if service.names else "localhost")
    match check.kind:
        case CheckKind.TCP:
            return await ask_tcp(service, check.port)
        case CheckKind.HTTP:
            return await ask_http(service, check, name, None)
        case CheckKind.HTTPS:
            return await ask_http(service, check, name, tls)
        case CheckKind.DNS:
            return await ask_dns(service, check.port, name)


def _in_few_words(fault: Exception) -> str:
    for kind, words in _IN_FEW_WORDS:
        if isinstance(fault, kind):
            return words
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror.lower()
    return "not understood"
