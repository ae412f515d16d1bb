"""A check of a service on this host, without the agent: three tries, one success is enough.

It reaches the service as the agent's own checks do (agents.probes.local): at the address its
clients use, from a source that no other host can answer; where that address is not local (any
more), at the loopback address. When in doubt it passes: a check that is not understood is no
reason to withdraw.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

TRIES = 3
STAGGER = 0.1
LONGEST_TIMEOUT = 5.0
_LONGEST_LINE = 4096
_NOT_LOCAL = (errno.EINVAL, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH)


def passes(check: dict[str, Any]) -> bool:
    """Whether one of three tries, 0.1 s apart, succeeds; each may take ``timeout`` seconds.

    ``check`` has ``kind`` (``http`` or ``tcp``), ``address``, ``port``, and may have ``path``,
    ``name`` (the Host header) and ``timeout``. A fault in it passes.
    """
    outcomes: list[bool] = []
    tries = [threading.Thread(target=_try, args=(check, outcomes)) for _ in range(TRIES)]
    for number, each in enumerate(tries):
        if number:
            tries[number - 1].join(STAGGER)
        if any(outcomes):
            return True
        each.daemon = True
        each.start()
    for each in tries:
        each.join()
    return any(outcomes)


def _try(check: dict[str, Any], outcomes: list[bool]) -> None:
    try:
        outcomes.append(_answered(check))
    except OSError:
        outcomes.append(False)
    except Exception:  # noqa: BLE001 - no reason to withdraw
        outcomes.append(True)


def _answered(check: dict[str, Any]) -> bool:
    timeout = min(float(check.get("timeout", 0.25)), LONGEST_TIMEOUT)
    until = time.monotonic() + timeout
    with _connect(str(check["address"]), int(check["port"]), until) as opened:
        if check["kind"] != "http":
            return True
        head = (
            f"GET {check.get('path', '/')} HTTP/1.1\r\nHost: {check.get('name', 'localhost')}\r\n"
            "User-Agent: ambicast\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
        opened.sendall(head.encode())
        line = b""
        while b"\n" not in line and len(line) < _LONGEST_LINE:
            opened.settimeout(_left(until))
            some = opened.recv(_LONGEST_LINE)
            if not some:
                return False
            line += some
    version, _, rest = line.partition(b" ")
    return version.startswith(b"HTTP/") and b"200" <= rest[:3] < b"400"


def _connect(address: str, port: int, until: float) -> socket.socket:
    loopback = "::1" if ":" in address else "127.0.0.1"
    try:
        return _connect_to(address, port, until)
    except OSError as fault:
        if fault.errno not in _NOT_LOCAL or address == loopback:
            raise
    return _connect_to(loopback, port, until)


def _connect_to(target: str, port: int, until: float) -> socket.socket:
    """From 127.0.0.1 Linux reaches local addresses only; an IPv6 address reaches itself."""
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(_left(until))
        opened.bind((target if family == socket.AF_INET6 else "127.0.0.1", 0))
        opened.connect((target, port))
    except BaseException:
        opened.close()
        raise
    return opened


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
