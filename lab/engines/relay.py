"""A link in user space: one process that carries the frames of all links that are late or lossy.

Such a link is two TAP interfaces, one in each node's namespace. Every frame read from one is
written to the other, at once or when its delay is over; some are lost on purpose. Frames of one
flow (addresses, protocol, ports) keep their order whatever the jitter. A TAP does not see its
peer's state by itself, so the relay watches both ends and passes a cut on as loss of carrier
(TUNSETCARRIER).

Run as `python3 -m lab.engines.relay SPEC.JSON CONTROL`, with `[{"ends": [[NETNS, IF], [NETNS,
IF]], "delay_s": 0.02}, ...]`. CONTROL is a datagram socket that takes new impairments while
frames flow (`relaying`). Prints `ready` when all interfaces are there; ends when it is killed,
and the interfaces with it.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import random
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

from lab.engines.impairments import Impairment
from lab.fibs.namespaces import inside
from lab.fibs.netlink import LinkMessage, open_socket, parse

TUNSETIFF: Final = 0x400454CA
TUNSETCARRIER: Final = 0x400454E2
IFF_TAP, IFF_NO_PI = 2, 0x1000
MOST_WAITING: Final = 4096  # frames per direction; more are lost, as in a full queue
MOST_FLOWS: Final = 4096
LONGEST_FRAME: Final = 65536
NEVER: Final = float("inf")


def flow_of(frame: bytes) -> bytes:
    """What tells a frame's flow from others: protocol, addresses and ports, or its MAC header."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        return frame[23:24] + frame[26:38]
    if kind == b"\x86\xdd":
        return frame[20:21] + frame[22:58]
    return frame[:14]


class Way:
    """One direction of a link: what befalls a frame, and when the frames under way come out."""

    def __init__(self, delay_s: float) -> None:
        """`delay_s`: the link's own, impaired or not."""
        self._own_s = delay_s
        self._last: dict[bytes, float] = {}
        self.waiting = 0
        self.lost = 0
        self.impair(Impairment())

    def impair(self, impairment: Impairment) -> None:
        """From now on; frames that are under way keep their time."""
        self._loss = impairment.loss
        self._delay_s = self._own_s + impairment.delay_s
        self._jitter_s = impairment.jitter_s

    def due(self, frame: bytes, now: float) -> float | None:
        """When this frame comes out; None: it is lost. Never before an earlier one of its flow."""
        if self._loss and random.random() < self._loss:
            self.lost += 1
            return None
        if not self.waiting:
            self._last.clear()
            if not self._jitter_s and not self._delay_s:
                return now
        if self.waiting >= MOST_WAITING:
            return None
        flow = flow_of(frame)
        due = now + self._delay_s + random.random() * self._jitter_s
        due = max(due, self._last.get(flow, 0.0))
        if len(self._last) >= MOST_FLOWS:
            self._last.clear()
        self._last[flow] = due
        return due


class Tap:
    """One end of a link; `way` is that of the frames its node sends."""

    def __init__(self, namespace: str, interface: str, delay_s: float) -> None:
        """Create the interface in its namespace."""
        self.way = Way(delay_s)
        self.up = True
        with inside(namespace):
            self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            request = struct.pack("16sH22x", interface.encode(), IFF_TAP | IFF_NO_PI)
            fcntl.ioctl(self.descriptor, TUNSETIFF, request)
        self.far: Tap = self

    def set_carrier(self, *, on: bool) -> None:
        """What the node sees of the cable."""
        with suppress(OSError):
            fcntl.ioctl(self.descriptor, TUNSETCARRIER, struct.pack("i", int(on)))


class Relay:
    """All links of one lab that are carried in user space."""

    def __init__(self, links: list[dict[str, Any]], control: str) -> None:
        """Make the interfaces, and start watching and listening."""
        self._named: dict[tuple[str, str], Tap] = {}
        for link in links:
            pair = [Tap(space, interface, link["delay_s"]) for space, interface in link["ends"]]
            pair[0].far, pair[1].far = pair[1], pair[0]
            for tap, (space, interface) in zip(pair, link["ends"], strict=True):
                self._named[space, interface] = tap
        self._taps = {tap.descriptor: tap for tap in self._named.values()}
        self._watched: dict[int, tuple[str, socket.socket]] = {}
        for space in {space for space, _ in self._named}:
            sock = open_socket(space)
            self._watched[sock.fileno()] = (space, sock)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.bind(control)
        self._under_way: list[tuple[float, int, Way, int, bytes]] = []
        self._number = 0

    def run(self) -> None:
        """For ever. `select` waits for microseconds, which `epoll` alone cannot."""
        ready = select.epoll()
        for descriptor in (*self._taps, *self._watched, self._control.fileno()):
            ready.register(descriptor, select.EPOLLIN)
        while True:
            due = self._give_out()
            wait = None if due == NEVER else max(0.0, due - time.monotonic())
            if not select.select([ready], [], [], wait)[0]:
                continue
            for descriptor, _ in ready.poll(0):
                if (tap := self._taps.get(descriptor)) is not None:
                    self._take_in(tap)
                elif descriptor in self._watched:
                    self._look(*self._watched[descriptor])
                else:
                    self._obey()

    def _take_in(self, tap: Tap) -> None:
        """Read all frames that the node sent; what is not late is passed on at once."""
        way, far = tap.way, tap.far.descriptor
        while True:
            try:
                frame = os.read(tap.descriptor, LONGEST_FRAME)
            except OSError:  # nothing more, or EIO while the interface is down
                return
            now = time.monotonic()
            due = way.due(frame, now)
            if due is None:
                continue
            if due <= now:
                with suppress(OSError):
                    os.write(far, frame)
                continue
            way.waiting += 1
            self._number += 1
            heappush(self._under_way, (due, self._number, way, far, frame))

    def _give_out(self) -> float:
        """Write all frames that are due; returns when the next one is."""
        waiting = self._under_way
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, way, far, frame = heappop(waiting)
            way.waiting -= 1
            with suppress(OSError):
                os.write(far, frame)
        return waiting[0][0] if waiting else NEVER

    def _look(self, space: str, sock: socket.socket) -> None:
        """Pass an end's being set up or down on to the other end."""
        for message in parse(sock.recv(1 << 18)):
            if not isinstance(message, LinkMessage):
                continue
            tap = self._named.get((space, message.name))
            if tap is not None and not message.gone and tap.up != message.up:
                tap.up = message.up
                tap.far.set_carrier(on=message.up)

    def _obey(self) -> None:
        """Take a new impairment; the answer says how many frames were lost on purpose so far."""
        data, sender = self._control.recvfrom(65536)
        try:
            for each in json.loads(data):
                near = self._named[tuple(each["end"])]
                impairment = Impairment(**each["impairment"])
                for way in {"out": [near.way], "in": [near.far.way]}.get(
                    each["direction"], [near.way, near.far.way]
                ):
                    way.impair(impairment)
            lost = sum(tap.way.lost for tap in self._named.values())
            answer = json.dumps({"lost": lost})
        except (ValueError, KeyError, TypeError) as fault:
            answer = json.dumps({"fault": repr(fault)})
        with suppress(OSError):
            self._control.sendto(answer.encode(), sender)


def _come_first() -> None:
    """A cable has no scheduler: run before whatever runs in the nodes, where that is allowed."""
    gc.disable()  # there are no cycles here, and no pauses then
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def main() -> None:
    """Make the links of the file named on the command line and relay between them."""
    relay = Relay(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
    _come_first()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    relay.run()


if __name__ == "__main__":
    main()
