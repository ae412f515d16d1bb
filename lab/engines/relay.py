"""Delays links in user space, where the kernel has no netem: one process for all of a lab's links.

A delayed link is two TAP interfaces, one in each node's namespace. Every frame read from one is
written to the other after the link's delay. A TAP does not see its peer's state by itself, so the
relay watches both ends and passes a cut on as loss of carrier (TUNSETCARRIER).

Run as `python3 -m lab.engines.relay SPEC.JSON`, with `[{"ends": [[NETNS, IF], [NETNS, IF]],
"delay_s": 0.02}, ...]`. Prints `ready` when all interfaces are there; ends when it is killed, and
the interfaces with it.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from lab.fibs.namespaces import inside
from lab.fibs.netlink import LinkMessage, open_socket, parse

TUNSETIFF: Final = 0x400454CA
TUNSETCARRIER: Final = 0x400454E2
IFF_TAP, IFF_NO_PI = 2, 0x1000
MOST_WAITING: Final = 4096  # frames per direction; more are lost, as in a full queue


class Tap:
    """One end of a delayed link, and the frames on their way to it."""

    def __init__(self, namespace: str, interface: str, delay_s: float) -> None:
        """Create the interface in its namespace."""
        self.interface = interface
        self.delay_s = delay_s
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.up = True
        with inside(namespace):
            self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            request = struct.pack("16sH22x", interface.encode(), IFF_TAP | IFF_NO_PI)
            fcntl.ioctl(self.descriptor, TUNSETIFF, request)
        self.far: Tap = self

    def take_in(self, now: float) -> None:
        """Read all frames that the node sent, and queue them for the far end."""
        while True:
            try:
                frame = os.read(self.descriptor, 65536)
            except (BlockingIOError, OSError):  # EIO while the interface is down
                return
            if len(self.far.waiting) < MOST_WAITING:
                self.far.waiting.append((now + self.delay_s, frame))

    def give_out(self, now: float) -> float:
        """Write all frames that are due; returns when the next one is."""
        while self.waiting and self.waiting[0][0] <= now:
            _, frame = self.waiting.popleft()
            with suppress(OSError):
                os.write(self.descriptor, frame)
        return self.waiting[0][0] if self.waiting else float("inf")

    def set_carrier(self, *, on: bool) -> None:
        """What the node sees of the cable."""
        with suppress(OSError):
            fcntl.ioctl(self.descriptor, TUNSETCARRIER, struct.pack("i", int(on)))


class Relay:
    """All delayed links of a lab."""

    def __init__(self, links: list[dict[str, object]]) -> None:
        """Make the interfaces and start watching them."""
        self.taps: dict[int, Tap] = {}
        self._named: dict[tuple[str, str], Tap] = {}
        for link in links:
            ends, delay_s = link["ends"], link["delay_s"]
            assert isinstance(ends, list)
            assert isinstance(delay_s, float)
            pair = [Tap(space, interface, delay_s) for space, interface in ends]
            pair[0].far, pair[1].far = pair[1], pair[0]
            for tap, (space, interface) in zip(pair, ends, strict=True):
                self.taps[tap.descriptor] = tap
                self._named[space, interface] = tap
        spaces = {space for space, _ in self._named}
        self._watched = {open_socket(space): space for space in spaces}

    def run(self) -> None:
        """For ever."""
        sources: list[int | socket.socket] = [*self.taps, *self._watched]
        due = float("inf")
        while True:
            wait = None if due == float("inf") else max(0.0, due - time.monotonic())
            ready, _, _ = select.select(sources, [], [], wait)
            now = time.monotonic()
            for source in ready:
                if isinstance(source, int):
                    self.taps[source].take_in(now)
                else:
                    self._look(self._watched[source], source.recv(1 << 18))
            due = min(tap.give_out(now) for tap in self.taps.values())

    def _look(self, space: str, data: bytes) -> None:
        """Pass an end's being set up or down on to the other end."""
        for message in parse(data):
            if not isinstance(message, LinkMessage):
                continue
            tap = self._named.get((space, message.name))
            if tap is not None and not message.gone and tap.up != message.up:
                tap.up = message.up
                tap.far.set_carrier(on=message.up)


def main() -> None:
    """Make the links of the file named on the command line and relay between them."""
    relay = Relay(json.loads(Path(sys.argv[1]).read_text()))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    relay.run()


if __name__ == "__main__":
    main()
