"""What each uplink carries, from the interfaces' byte counters in ``/proc/net/dev`` (proc(5)).

That file shows the network namespace of the process that reads it, where ``/sys/class/net`` shows
the one in which it was mounted. The busier direction counts: links carry both ways at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ambicast.model.pops import Uplink

COUNTERS = Path("/proc/self/net/dev")
_RECEIVED, _SENT = 0, 8


class Counted(msgspec.Struct, frozen=True):
    """Bytes since the interface came to be."""

    received: int
    sent: int


def counters(text: str) -> dict[str, Counted]:
    """Interface -> its counters; lines that are no such row (the two of the head) are skipped."""
    found = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        numbers = rest.split()
        if colon and len(numbers) > _SENT and all(number.isdigit() for number in numbers):
            found[name.strip()] = Counted(int(numbers[_RECEIVED]), int(numbers[_SENT]))
    return found


def shares(
    uplinks: Mapping[str, Uplink],
    before: Mapping[str, Counted],
    after: Mapping[str, Counted],
    seconds: float,
) -> dict[str, float]:
    """Uplink -> the share of its capacity that its busier direction carried in between.

    An interface that is missing or began to count anew is left out.
    """
    found: dict[str, float] = {}
    for name, uplink in uplinks.items():
        old, new = before.get(uplink.interface), after.get(uplink.interface)
        if old is None or new is None or seconds <= 0 or uplink.capacity <= 0:
            continue
        most = max(new.received - old.received, new.sent - old.sent)
        if new.received >= old.received and new.sent >= old.sent:
            found[name] = 8 * most / seconds / uplink.capacity
    return found
