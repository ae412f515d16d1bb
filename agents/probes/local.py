"""Reaching a service on this very host, at the address its clients use.

The target is the service's anycast address, as long as this host terminates it: a service that
has lost just that listener is of no use to clients. Where it is not terminated (nothing is
advertised yet) the target is the loopback address.

A check must never be answered by another PoP. That is what the source is for: from 127.0.0.1
Linux routes to local addresses only, and refuses all others at once with ``EINVAL``. IPv6 has no
such rule; there the source is the anycast address itself, which cannot be bound where it is not
local.
"""

from __future__ import annotations

import asyncio
import errno
import socket

from ambicast.model.identifiers import Family
from ambicast.model.services import Service

_LOOPBACK = {Family.V4: "127.0.0.1", Family.V6: "::1"}
_NUMBER = {Family.V4: socket.AF_INET, Family.V6: socket.AF_INET6}
_NOT_LOCAL = frozenset({errno.EINVAL, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH})


async def connect(service: Service, port: int, kind: socket.SocketKind) -> socket.socket:
    """A socket connected to ``service`` on this host; IPv4 where it has both families.

    Raises:
        OSError: where nobody listens.
    """
    family = Family.V4 if Family.V4 in service.anycast.addresses else Family.V6
    loopback = _LOOPBACK[family]
    anycast = service.anycast.addresses.get(family, loopback)
    try:
        return await _connect(family, anycast, port, kind)
    except OSError as fault:
        if fault.errno not in _NOT_LOCAL or anycast == loopback:
            raise
    return await _connect(family, loopback, port, kind)


async def _connect(
    family: Family, target: str, port: int, kind: socket.SocketKind
) -> socket.socket:
    source = _LOOPBACK[family] if family is Family.V4 else target
    opened = socket.socket(_NUMBER[family], kind)
    try:
        opened.setblocking(False)
        opened.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(opened, (target, port))
    except BaseException:
        opened.close()
        raise
    return opened
