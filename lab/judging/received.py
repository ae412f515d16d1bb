"""Which routes the routers hold from each PoP, whether or not they prefer them.

A route can be back long before it is used: where somebody else advertises the same prefix, the
router may stay with them. So the routers are asked for what they received, each in its own way.
A router that does not answer (a busy machine) does not hold nothing: such a look is no sample.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from lab.engines.running import RunningLab
from lab.topology.attachments import hosts_of
from lab.topology.internet import Internet

Route = tuple[str, str]
PATIENCE_S: Final = 1.0
_BIRD_ROUTE: Final = re.compile(rb"^(?:1007-| )([0-9a-f:.]+/\d+) ", re.MULTILINE)


class ReceivedSample(msgspec.Struct, frozen=True):
    """PoP -> (router, prefix) of every route that its neighbors held from it.

    Asked one after another, which takes from `t_ns` until `answered_ns`: milliseconds with BIRD,
    a second and more with FRR on a busy machine.
    """

    t_ns: int
    routes: Mapping[str, frozenset[Route]]
    answered_ns: int = 0

    @property
    def known_ns(self) -> int:
        """When all of it was known."""
        return max(self.t_ns, self.answered_ns)


def back_after(
    samples: Sequence[ReceivedSample], pop: str, start_ns: int, end_ns: int
) -> float | None:
    """Milliseconds from `start_ns` until all that was held before it was held again, for good."""
    before = [each for each in samples if each.known_ns <= start_ns]
    if not before or not before[-1].routes.get(pop):
        return None
    wanted = before[-1].routes[pop]
    since: int | None = None
    for each in samples:
        if start_ns < each.t_ns < end_ns:
            held = wanted <= each.routes.get(pop, frozenset())
            since = None if not held else each.known_ns if since is None else since
    return None if since is None else round((since - start_ns) / 1e6, 1)


class _UnansweredError(Exception):
    """A router said nothing that can be read."""


def look_at_received(lab: RunningLab, internet: Internet, t_ns: int) -> ReceivedSample | None:
    """What all neighbors of all PoPs hold now; blocks for some milliseconds per neighbor.

    None where one of them did not answer.
    """
    try:
        return _look(lab, internet, t_ns)
    except _UnansweredError:
        return None


def _look(lab: RunningLab, internet: Internet, t_ns: int) -> ReceivedSample:
    found = {
        pop.name: frozenset(
            (uplink.neighbor, prefix)
            for host in hosts_of(pop)
            for uplink in host.uplinks
            for family, ends in uplink.network.items()
            for prefix in _held(lab, uplink.neighbor, host.node, family, ends[1])
        )
        for pop in internet.pops
    }
    return ReceivedSample(t_ns, found, time.time_ns())


def _held(lab: RunningLab, router: str, peer: str, family: str, address: str) -> Iterator[str]:
    programs = {program.name for program in lab.topology.node(router).programs}
    if "bird" in programs:
        control = Path(f"/proc/{lab.pid(router)}/root/run/bird/bird.ctl")
        yield from _of_bird(control, f"{peer}_{family}")
    else:
        yield from _of_frr(lab, router, f"ip{family}", address)


def _of_bird(control: Path, protocol: str) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(PATIENCE_S)
        try:
            sock.connect(str(control))
            said = _line(sock)
            sock.sendall(f"show route protocol {protocol}\n".encode())
            said = _line(sock)
        except OSError:
            raise _UnansweredError from None
    for prefix in _BIRD_ROUTE.findall(said):
        yield prefix.decode()


def _line(sock: socket.socket) -> bytes:
    """One reply: it ends with a line whose code is followed by a space."""
    said = b""
    while not re.search(rb"(?:^|\n)\d{4} [^\n]*\n\Z", said):
        data = sock.recv(65536)
        if not data:
            break
        said += data
    return said


def _of_frr(lab: RunningLab, router: str, family: str, address: str) -> Iterator[str]:
    asked = f"show bgp {family} unicast neighbors {address} routes json"
    said = lab.exec(router, ["vtysh", "-c", asked], check=False).stdout
    try:
        yield from json.loads(said).get("routes", {})
    except json.JSONDecodeError:
        raise _UnansweredError from None
