"""The live screen: the API's own bodies and the clients' records, as tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lab.demo.traffic import Traffic

LAST_EVENTS = 12
_COLOURS = {"serving": "green", "silent": "red", "unfit": "red", "withdrawn": "yellow"}


def screen(
    status: Mapping[str, Any],
    services: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]],
    traffic: Sequence[Traffic],
) -> RenderableType:
    """PoPs (BGP), answers (DNS), clients, and what happened last."""
    return Group(
        _pops(status),
        *(_answers(service) for service in services),
        _clients(traffic),
        _events(events),
    )


def _pops(status: Mapping[str, Any]) -> Table:
    table = Table(title=f"PoPs  (fleet {status['fleet']}, epoch {status['epoch']})", expand=True)
    for column in ("PoP", "condition", "phase", "given by DNS", "sessions", "why"):
        table.add_column(column)
    for pop in status["pops"]:
        colour = _COLOURS.get(pop["condition"], "white")
        table.add_row(
            pop["name"],
            Text(pop["condition"], style=colour),
            pop["phase"],
            f"{pop['given']:.0%}",
            f"{pop['sessions_up']}/{pop['sessions']}",
            pop["drain"] or pop["because"],
        )
    return table


def _answers(service: Mapping[str, Any]) -> Table:
    names = ", ".join(service["names"])
    table = Table(title=f"DNS answers for {names}", expand=True)
    table.add_column("client group")
    table.add_column("addresses")
    for group, addresses in sorted(service["answers"].items()):
        table.add_row(group, ", ".join(addresses))
    return table


def _clients(traffic: Sequence[Traffic]) -> Table:
    table = Table(title="Clients, last second", expand=True)
    for column in ("client", "asks", "answered", "lost", "lost since start", "served by"):
        table.add_column(column)
    for row in traffic:
        served = ", ".join(f"{who} {count}" for who, count in sorted(row.served_by.items()))
        lost = Text(str(row.lost), style="red" if row.lost else "green")
        table.add_row(
            row.client, row.probe, str(row.answered), lost, str(row.lost_ever), served or "nobody"
        )
    return table


def _events(events: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="What happened", expand=True)
    for column in ("time (UTC)", "event", "PoP", "text"):
        table.add_column(column)
    for event in events[-LAST_EVENTS:]:
        at = datetime.fromtimestamp(event["at"], UTC).strftime("%H:%M:%S.%f")[:-3]
        table.add_row(at, event["kind"], event["pop"], event["text"])
    return table
