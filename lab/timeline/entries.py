"""One thing that happened, on the one clock that all nodes of a lab share (CLOCK_REALTIME)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from lab.fibs import FibEvent
from lab.load.outages import gaps
from lab.load.records import Record

Layer = Literal["fault", "watch", "mqtt", "decision", "bgp", "fib", "dns", "probe"]
LAYERS: tuple[Layer, ...] = ("fault", "watch", "mqtt", "decision", "bgp", "fib", "dns", "probe")
MS = 1_000_000


class Entry(msgspec.Struct, frozen=True):
    """At `t_ns`, `what` happened at `node`."""

    t_ns: int
    layer: Layer
    node: str
    what: str


class Moment(msgspec.Struct, frozen=True):
    """An entry as results carry it: milliseconds since the load started."""

    t_ms: float
    layer: Layer
    node: str
    what: str


def moments(entries: Iterable[Entry], zero_ns: int) -> tuple[Moment, ...]:
    """All entries in the order of time."""
    ordered = sorted(entries, key=lambda entry: entry.t_ns)
    return tuple(
        Moment(round((e.t_ns - zero_ns) / MS, 1), e.layer, e.node, e.what) for e in ordered
    )


def of_route(event: FibEvent) -> Entry:
    """A change of one node's routes or links."""
    where = f" via {event.gateway}" if event.gateway else ""
    subject = event.prefix or event.interface or ""
    return Entry(event.t_ns, "fib", event.node, f"{event.what} {subject}{where}")


def of_probe(name: str, client: str, records: Sequence[Record]) -> list[Entry]:
    """A probe's gaps, and where its answers began to come from another PoP."""
    entries = []
    for gap in gaps(records):
        text = f"{name}: no answer for {gap.span_ms:.0f} ms ({gap.lost} lost)"
        entries.append(Entry(gap.start_ns, "probe", client, text))
        if not gap.open:
            entries.append(Entry(gap.end_ns, "probe", client, f"{name}: answers again"))
    who = ""
    for record in records:
        if record.answered and record.who != who:
            entries.append(
                Entry(record.sent_ns, "probe", client, f"{name}: served by {record.who}")
            )
            who = record.who
    return entries
