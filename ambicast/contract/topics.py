"""Where messages travel: the only file with a topic's slash in it.

Root ``ambicast/v1/<fleet>``. A topic is built from typed parts and parsed back into the same
parts, so that no other module knows how topics are spelled.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

_ROOT = "ambicast/v1"


class Channel(StrEnum):
    """The last part of a topic; what it carries decides whether it is retained."""

    PRESENCE = "presence"
    ORDER = "order"
    RECEIPT = "receipt"
    REPORT = "report"
    SIGHTINGS = "sightings"
    TELEMETRY = "telemetry"
    STEERING = "steering"
    MAP = "map"


RETAINED = frozenset(
    {
        Channel.PRESENCE,
        Channel.ORDER,
        Channel.REPORT,
        Channel.SIGHTINGS,
        Channel.STEERING,
        Channel.MAP,
    }
)


class FromController(msgspec.Struct, frozen=True):
    """The controller's own presence."""


class OfHost(msgspec.Struct, frozen=True):
    """A channel of one PoP host."""

    pop: str
    host: str
    channel: Channel


class OfNameserver(msgspec.Struct, frozen=True):
    """A channel of one nameserver."""

    nameserver: str
    channel: Channel


Topic = FromController | OfHost | OfNameserver


def spell(fleet: str, topic: Topic) -> str:
    """The topic's text."""
    root = f"{_ROOT}/{fleet}"
    match topic:
        case FromController():
            return f"{root}/controller/presence"
        case OfHost(pop, host, channel):
            return f"{root}/pops/{pop}/{host}/{channel}"
        case OfNameserver(nameserver, channel):
            return f"{root}/nameservers/{nameserver}/{channel}"


def parse(fleet: str, text: str) -> Topic | None:
    """The parts of a topic's text; none where it is not one of this fleet's."""
    root = f"{_ROOT}/{fleet}/"
    if not text.startswith(root):
        return None
    match text.removeprefix(root).split("/"):
        case ["controller", "presence"]:
            return FromController()
        case ["pops", pop, host, channel] if channel in list(Channel):
            return OfHost(pop, host, Channel(channel))
        case ["nameservers", nameserver, channel] if channel in list(Channel):
            return OfNameserver(nameserver, Channel(channel))
        case _:
            return None


def everything_from_agents(fleet: str) -> tuple[str, ...]:
    """The subscription filters of a controller."""
    root = f"{_ROOT}/{fleet}"
    upward = (Channel.PRESENCE, Channel.RECEIPT, Channel.REPORT)
    of_hosts = (*upward, Channel.SIGHTINGS, Channel.TELEMETRY)
    return (
        f"{root}/controller/presence",
        *(f"{root}/pops/+/+/{channel}" for channel in of_hosts),
        *(f"{root}/nameservers/+/{channel}" for channel in upward),
    )


def everything(fleet: str) -> str:
    """The filter that sees it all (for the lab's timeline)."""
    return f"{_ROOT}/{fleet}/#"
