"""The API's bodies as tables for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Body = Mapping[str, Any]
_COLOURS = {
    "serving": "green",
    "silent": "red",
    "unfit": "red",
    "withdrawn": "yellow",
    "settled": "green",
    "sent": "cyan",
    "overdue": "red",
}


def status(body: Body) -> RenderableType:
    """The fleet on one screen: PoPs and nameservers, and whether the layers agree."""
    reached = "reached" if body["connected"] else "LOST: nothing changes"
    settled = "settled" if body["settled"] else "moving"
    head = f"fleet {body['fleet']}, epoch {body['epoch']}, broker {reached}, {settled}"
    servers = _table("nameserver", "PoP", "proven", "current", "agrees", "detail")
    for each in body["nameservers"]:
        servers.add_row(
            each["name"],
            each["pop"],
            str(each["proven"]),
            str(each["current"]),
            "yes" if each["agrees"] else Text("no", style="red"),
            each["detail"],
        )
    return Group(Text(head), pops(body["pops"]), servers)


def pops(rows: Sequence[Body]) -> Table:
    """One line per PoP."""
    table = _table("PoP", "city", "condition", "phase", "given by DNS", "sessions", "why")
    for row in rows:
        table.add_row(
            row["name"],
            row["city"],
            _coloured(row["condition"]),
            row["phase"],
            f"{row['given']:.0%}",
            f"{row['sessions_up']}/{row['sessions']}",
            row["refusal"] or row["drain"] or row["because"],
        )
    return table


def pop(body: Body) -> RenderableType:
    """One PoP in full."""
    parts: list[RenderableType] = [pops([body["row"]])]
    for host in body["hosts"]:
        table = _table("uplink", "carrier", "working", title=f"host {host['name']}")
        for uplink in host["uplinks"]:
            working = ", ".join(
                f"{k} {'yes' if v else 'NO'}" for k, v in uplink["working"].items()
            )
            table.add_row(uplink["uplink"], "yes" if uplink["carrier"] else "NO", working)
        checks = ", ".join(
            f"{each['service']} {'fit' if each['fit'] else 'UNFIT ' + each['detail']}"
            for each in host["services"]
        )
        order = f"order {host['order']}, accepted {host['accepted']}"
        parts += [table, Text(f"services: {checks}"), Text(order)]
        parts += [Text(f"refused: {each}", style="red") for each in host["refusals"]]
        parts.append(Text(f"on the wire: {', '.join(host['wire']) or 'nothing'}"))
        parts += _unordered(host)
    if body["failover"]:
        row = body["failover"]
        parts.append(
            Text(
                f"if it is lost: {', '.join(row['advertisers'])} take over; overloaded: "
                f"{', '.join(row['overloaded']) or 'none'}; computed {row['age']:.0f} s ago"
            )
        )
    if body["plan"]:
        parts.append(plan(body["plan"]))
    return Group(*parts)


def _unordered(host: Body) -> list[Text]:
    """What goes on at a host without an order of the controller's."""
    found = []
    if brake := host["brake"]:
        found.append(Text(f"brake on the host: {brake['kind']}: {brake['reason']}", style="red"))
    for each in host["deeds"]:
        prefixes = ", ".join(each["prefixes"])
        found.append(Text(f"deed: {each['kind']} {each['about']}: {prefixes}", style="yellow"))
    return found


def plan(body: Body) -> Table:
    """One plan, step by step, with what is still to wait for."""
    title = f"{body['kind']} of {body['pop']}: {body['reason']}"
    table = _table("", "layer", "step", "state", "remaining", "note", title=title)
    for number, step in enumerate(body["steps"], 1):
        remaining = f"{step['remaining']:.0f} s" if step["remaining"] else ""
        table.add_row(
            str(number),
            step["layer"],
            step["text"],
            _coloured(step["state"]),
            remaining,
            step["note"],
        )
    return table


def service(body: Body) -> RenderableType:
    """One service, both layers side by side."""
    answers = _table("client group", "answer", title=f"{body['name']}: DNS")
    for group, addresses in sorted(body["answers"].items()):
        answers.add_row(group, ", ".join(addresses))
    routes = _table("PoP", "advertises", title=f"{body['name']}: BGP")
    for name, prefixes in sorted(body["pops"].items()):
        routes.add_row(name, ", ".join(prefixes) or "nothing")
    return Group(answers, routes)


def event(body: Body) -> str:
    """One event on one line, in UTC."""
    at = datetime.fromtimestamp(body["at"], UTC).isoformat(timespec="milliseconds")
    return f"{at} {body['kind']:16} {body['pop']:6} {body['text']}"


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    return table


def _coloured(word: str) -> Text:
    return Text(word, style=_COLOURS.get(word, ""))
