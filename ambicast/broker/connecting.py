"""A client that is about to connect: who it is, how it is known, how soon it gives up.

Passwords and certificates are read anew at every connect, so that they can be changed while the
program runs.
"""

from __future__ import annotations

import socket
import ssl

import aiomqtt

from ambicast.broker.settings import Broker

KEEPALIVE = 5

# Without it a message waits 44 to 88 ms for the acknowledgement of the one before.
_NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def client_of(
    broker: Broker, identifier: str, will: aiomqtt.Will, timeout: float
) -> aiomqtt.Client:
    """A client of ``broker`` that gives up whatever takes longer than ``timeout`` seconds.

    Raises:
        OSError: a password or certificate file cannot be read.
    """
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.username,
        password=broker.password(),
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5,
        will=will,
        clean_start=True,
        timeout=timeout,
        keepalive=KEEPALIVE,
        socket_options=[_NODELAY],
        tls_context=_tls_context(broker),
    )
    client.pending_calls_threshold = 10_000
    # It connects in a thread, which nobody can cancel: let it give up soon.
    client._client.connect_timeout = timeout  # noqa: SLF001 - there is no other way
    return client


def _tls_context(broker: Broker) -> ssl.SSLContext | None:
    """What verifies the broker's chain and that it bears the name or address it is reached by."""
    tls = broker.tls
    if tls is None:
        return None
    context = ssl.create_default_context(cafile=tls.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cert is not None:
        context.load_cert_chain(tls.cert, tls.key)
    return context
