"""The runner's end of the relay: starting it, and telling it how to treat frames from now on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from lab.engines import lasting
from lab.engines.faults import LabError
from lab.engines.impairments import Direction, Impairment
from lab.engines.node_init import environment

CONTROL: Final = "relay.sock"
ANSWER_TIMEOUT_S: Final = 2.0
TUN: Final = Path("/dev/net/tun")


class RelayedLink(msgspec.Struct, frozen=True):
    """Two ends (path of the namespace, interface), and the link's own delay one way."""

    ends: tuple[tuple[str, str], tuple[str, str]]
    delay_s: float = 0.0


class Change(msgspec.Struct, frozen=True):
    """A new impairment: `end` is (namespace, interface), `out` the direction away from it."""

    end: tuple[str, str]
    impairment: Impairment
    direction: Direction = "both"


def start(links: Iterable[RelayedLink], directory: Path) -> subprocess.Popen[bytes]:
    """Start a relay and wait until its interfaces are there.

    Raises:
        LabError: it cannot make them; says why.
    """
    if not os.access(TUN, os.R_OK | os.W_OK):
        msg = f"a link with delay or jitter needs {TUN}, which this user may not open"
        raise LabError(msg)
    spec = directory / "relay.json"
    spec.write_bytes(msgspec.json.encode(tuple(links)))
    (directory / CONTROL).unlink(missing_ok=True)
    log = directory / "relay.log"
    argv = [sys.executable, "-m", "lab.engines.relay", str(spec), str(directory / CONTROL)]
    try:
        return lasting.start(argv, log, environment())
    except lasting.NotReadyError as fault:
        msg = f"the relay did not start: {fault}"
        raise LabError(msg) from None


def tell(directory: Path, changes: Iterable[Change]) -> int:
    """Change impairments; returns how many frames the relay lost on purpose so far.

    Raises:
        LabError: the relay is gone, or knows no such link.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ANSWER_TIMEOUT_S)
        sock.bind("")  # an abstract address of its own, for the answer
        try:
            sock.connect(str(directory / CONTROL))
            sock.send(msgspec.json.encode(tuple(changes)))
            answer = json.loads(sock.recv(65536))
        except OSError as fault:
            msg = f"the relay does not answer: {fault}"
            raise LabError(msg) from fault
    if "fault" in answer:
        msg = f"the relay refuses: {answer['fault']}"
        raise LabError(msg)
    return int(answer["lost"])
