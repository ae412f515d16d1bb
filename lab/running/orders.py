"""`order` and `publish`: messages that no controller of ours would send, on the fleet's topics."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import yaml

from ambicast.contract.codec import ContractError, Stamp, decode
from ambicast.contract.messages import Report
from ambicast.contract.topics import Channel, OfHost, spell
from lab.engines.running import RunningLab
from lab.running.speaking import Letter, fleet_name, publish, retained
from lab.topology.settings import FLEET_FILE

EVERY: Final = "all"
ROOT: Final = "ambicast/v1/"
_PLACE = re.compile(rb"\$(epoch|generation)(?:([+-])(\d+))?")


def give_order(lab: RunningLab, host: str, file: str) -> None:
    """Publish `file` as the order of a host, of several (`a,b`), or of `all`.

    In the file `$epoch` stands for the epoch of the order that the host follows, by its own
    report, and `$generation` for its generation plus one; `$generation-3` and the like are three
    less. Files without them are sent as they are, whatever bytes they hold. The broker's own copy
    of an order says nothing here: it may be one of nobody's, that was put there before.
    """
    fleet = fleet_name(lab)
    topics = {
        spell(fleet, OfHost(pop, each, Channel.ORDER))
        for pop, each in _hosts(lab)
        if host == EVERY or each in host.split(",")
    }
    payload = Path(file).read_bytes()
    told = _reports(lab, topics) if _PLACE.search(payload) else {}
    publish(
        lab,
        [Letter(topic, filled(payload, followed(told.get(topic)))) for topic in sorted(topics)],
    )


def _reports(lab: RunningLab, topics: Iterable[str]) -> dict[str, bytes]:
    """Each host's newest report, under the topic of its orders.

    A host that has just been started says that it follows none; it is waited for, for a second.
    """
    places = {topic.removesuffix("order") + "report": topic for topic in topics}
    told = retained(lab, places, lambda report: followed(report) > Stamp())
    return {places[report]: payload for report, payload in told.items()}


def publish_file(
    lab: RunningLab, topic: str, file: str | None, size: int, *, retain: bool
) -> None:
    """Publish a file, or `size` random bytes, on any topic (`pops/ams/ams-1/order`)."""
    payload = Path(file).read_bytes() if file else random.Random(size).randbytes(size)
    whole = topic if topic.startswith(ROOT) else f"{ROOT}{fleet_name(lab)}/{topic}"
    publish(lab, [Letter(whole, payload, retain)])


def followed(report: bytes | None) -> Stamp:
    """The stamp of the order that a host says it follows; zero where it says of none."""
    try:
        body = decode(report).body if report else None
    except ContractError:
        return Stamp()
    if not isinstance(body, Report):
        return Stamp()
    return Stamp(body.order_epoch, body.order_generation)


def filled(payload: bytes, held: Stamp) -> bytes:
    """`payload` with every place filled in."""

    def meant(found: re.Match[bytes]) -> bytes:
        value = held.epoch if found[1] == b"epoch" else held.generation + 1
        offset = int(found[3]) if found[3] else 0
        return b"%d" % max(0, value + (offset if found[2] == b"+" else -offset))

    return _PLACE.sub(meant, payload)


def _hosts(lab: RunningLab) -> Iterator[tuple[str, str]]:
    """(PoP, host) of the whole fleet, from the lab's own fleet file."""
    fleet = yaml.safe_load(lab.topology.node("ctl1").files[FLEET_FILE])
    for name, pop in fleet["pops"].items():
        for host in pop["hosts"]:
            yield name, host
