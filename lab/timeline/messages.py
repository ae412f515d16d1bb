"""MQTT messages as timeline entries: sightings are watching, reports of sessions and wire are BGP.

Pure: what changed since the last message on the same topic is told, repetition is not.
"""

from __future__ import annotations

from typing import Final

from ambicast.contract.codec import ContractError, decode
from ambicast.contract.messages import (
    ControllerPresence,
    Message,
    Order,
    Presence,
    Receipt,
    Report,
    Sightings,
    Steering,
)
from ambicast.contract.topics import FromController, OfHost, OfNameserver, parse
from lab.timeline.entries import Entry, Layer

MOST_LISTED: Final = 4


class Differ:
    """Remembers the last message of every topic."""

    def __init__(self, fleet: str) -> None:
        self._fleet = fleet
        self._last: dict[str, Message] = {}

    def entries(self, topic: str, payload: bytes, t_ns: int) -> list[Entry]:
        """What this message says that the one before did not."""
        node = _node(self._fleet, topic)
        if node is None:
            return []
        if not payload:
            return [Entry(t_ns, "mqtt", node, f"{topic.rpartition('/')[2]} cleared")]
        try:
            body = decode(payload).body
        except ContractError as fault:
            return [Entry(t_ns, "mqtt", node, f"not understood: {fault}")]
        before = self._last.get(topic)
        self._last[topic] = body
        return [Entry(t_ns, layer, node, text) for layer, text in _news(before, body)]


def _node(fleet: str, topic: str) -> str | None:
    match parse(fleet, topic):
        case OfHost(pop, _, _):
            return pop
        case OfNameserver(nameserver, _):
            return nameserver
        case FromController():
            return "controller"
        case None:
            return None


def _news(before: Message | None, now: Message) -> list[tuple[Layer, str]]:
    match now:
        case Sightings():
            return _sighted(before, now)
        case Report():
            return _reported(before, now)
        case Receipt():
            return [("bgp", f"order {now.outcome}{_listed('; ', now.refusals)}")]
        case Order():
            prefixes = sorted({a.prefix for a in now.advertisements})
            reason = f": {now.reason}" if now.reason else ""
            return [("mqtt", f"order to advertise {len(prefixes)} prefixes{reason}")]
        case Steering():
            return [("mqtt", f"steering: {now.reason or 'new answers'}")]
        case ControllerPresence() if _same_but_for_its_beat(before, now):
            return []
        case Presence() | ControllerPresence():
            return [("mqtt", "online" if now.online else "offline")]
        case _:
            return []


def _same_but_for_its_beat(before: Message | None, now: ControllerPresence) -> bool:
    if not isinstance(before, ControllerPresence):
        return False
    return (before.online, before.instance) == (now.online, now.instance)


def _sighted(before: Message | None, now: Sightings) -> list[tuple[Layer, str]]:
    old = {(s.pop, s.uplink, s.family): s.up for s in getattr(before, "seen", ())}
    news: list[tuple[Layer, str]] = []
    for up, word in ((False, "loses"), (True, "sees")):
        paths = [
            f"{s.pop}/{s.uplink}/{s.family}"
            for s in now.seen
            if s.up is up and old.get((s.pop, s.uplink, s.family)) is not up
        ]
        if paths:
            news.append(("watch", word + _listed(" ", paths)))
    return news


def _reported(before: Message | None, now: Report) -> list[tuple[Layer, str]]:
    old = before if isinstance(before, Report) else None
    news: list[tuple[Layer, str]] = []
    was = {a.prefix for a in old.wire} if old else set()
    wire = {a.prefix for a in now.wire}
    for word, prefixes in (("advertises", wire - was), ("withdrew", was - wire)):
        if prefixes:
            news.append(("bgp", word + _listed(" ", sorted(prefixes))))
    up = {(s.uplink, s.family) for s in now.sessions if s.established}
    was_up = {(s.uplink, s.family) for s in old.sessions if s.established} if old else set()
    for word, sessions in (("established", up - was_up), ("lost", was_up - up)):
        if sessions:
            named = [f"{uplink}/{family}" for uplink, family in sorted(sessions)]
            news.append(("bgp", f"sessions {word}" + _listed(" ", named)))
    fit = {s.service: s.fit for s in now.services}
    was_fit = {s.service: s.fit for s in old.services} if old else {}
    for service in now.services:
        if was_fit.get(service.service) is not fit[service.service]:
            news.append(("watch", f"{service.service} is {'fit' if service.fit else 'unfit'}"))
    return news


def _listed(start: str, names: list[str] | tuple[str, ...]) -> str:
    if not names:
        return ""
    rest = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return start + ", ".join(names[:MOST_LISTED]) + rest
