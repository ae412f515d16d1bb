"""What may stand behind each argument of a step, and how it is checked before any lab is up.

Arguments stay text: lists are joined by commas, files become absolute paths. Names that stand for
PoPs (`$victim`) pass unresolved, since only a trial knows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import msgspec

from ambicast.model.quantities import QuantityError, duration, share
from lab.scenarios.located import Located
from lab.scenarios.targets import SERVICES
from lab.topology.attachments import hosts_of, router_of
from lab.topology.internet import Internet

PROCESSES: Final = (
    "agent", "exabgp", "responder", "service", "nameserver", "bird", "zebra", "bgpd", "bfdd",
    "resolver", "mosquitto", "controller",
)  # fmt: skip
EVERY: Final = "all"
FAMILIES: Final = ("v4", "v6")
REPLACEABLE: Final = ("fleet.yaml", "clients.csv", "agent.yaml", "controller.yaml")
_LINK = re.compile(r"(?P<node>[a-z0-9$-]+):(?P<far>[a-z0-9-]+)")
_INTERFACE = re.compile(r"eth[1-9][0-9]*")
_SIZE = re.compile(r"(?P<number>[1-9][0-9]*)(?P<unit>B|KiB|MiB)")
SIZES: Final = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}


class Known(msgspec.Struct, frozen=True):
    """The names that a scenario may use.

    Attributes:
        pops: with the names that stand for one.
        nodes: every node, with the names that stand for a PoP's first.
        hosts: as the fleet file calls them (`ams-1`), `$victim-1` too.
    """

    pops: tuple[str, ...]
    nodes: tuple[str, ...]
    hosts: tuple[str, ...]


def known(internet: Internet, names: tuple[str, ...]) -> Known:
    """All names of `internet`; `names` may stand for a PoP as ``$name``."""
    meant = tuple(f"${name}" for name in names)
    pops = tuple(pop.name for pop in internet.pops)
    inside = [host for pop in internet.pops for host in hosts_of(pop)]
    routers = [router for pop in internet.pops if (router := router_of(pop)) is not None]
    transits = [f"t{number}" for number in range(1, internet.transits + 1)]
    clients = [client.name for client in internet.clients]
    nodes = [*(host.node for host in inside), *routers, *transits, *clients, "ctl1"]
    return Known(
        pops=(*pops, *meant),
        nodes=(*nodes, *meant),
        hosts=(*(host.name for host in inside), *(f"{name}-1" for name in meant)),
    )


def argument(key: str, action: str, field: Located, names: Known) -> str:
    """The text of one argument of `action`."""
    return PARSERS[key](field, action, names)


def _words(field: Located, key: str, allowed: Collection[str], *, every: bool = False) -> str:
    """One word, a list of them, or `all`."""
    if every and field.value == EVERY:
        return EVERY
    listed = field.entries(key) if isinstance(field.value, tuple) else (field,)
    if not listed:
        raise field.fault(f"{key} is empty", allowed)
    choice = (EVERY, *allowed) if every else allowed
    return ",".join(each.word(key, choice) for each in listed)


def _node(field: Located, action: str, names: Known) -> str:
    by_process = action in ("kill", "pause", "resume", "restart")
    return _words(field, "node", names.nodes, every=by_process)


def _links(field: Located, action: str, names: Known) -> str:
    if action in ("impair", "clear") and field.value == EVERY:
        return EVERY
    listed = field.entries("link") if isinstance(field.value, tuple) else (field,)
    return ",".join(_link(each, names) for each in listed)


def _link(field: Located, names: Known) -> str:
    value = field.text("link")
    found = _LINK.fullmatch(value)
    if found is None:
        raise field.fault(f"link: {value!r}", "NODE:ethN or NODE:NODE, for instance ams:eth1")
    if found["node"] not in names.nodes:
        raise field.fault(f"link: unknown node {found['node']!r}", names.nodes)
    if found["far"] not in names.nodes and not _INTERFACE.fullmatch(found["far"]):
        raise field.fault(f"link: unknown node {found['far']!r}", names.nodes)
    return value


def _quantity(key: str, parse: Callable[[str], float]) -> Callable[[Located, str, Known], str]:
    def check(field: Located, _: str, __: Known) -> str:
        text = field.text(key)
        try:
            value = parse(text)
        except QuantityError as fault:
            raise field.fault(f"{key}: {fault}") from None
        if key in ("for", "every", "down") and value <= 0:
            raise field.fault(f"{key}: {text!r}", "more than nothing")
        return text

    return check


def _file(field: Located, _: str, __: Known) -> str:
    """A file beside the scenario, as an absolute path."""
    text = field.text("file")
    path = (Path(field.where.rpartition(":")[0]).parent / text).resolve()
    if not path.is_file():
        raise field.fault(f"file: there is no {path}", "a file, by its path from the scenario")
    return str(path)


def _size(field: Located, _: str, __: Known) -> str:
    text = field.text("size")
    found = _SIZE.fullmatch(text)
    if found is None:
        raise field.fault(f"size: {text!r}", "a number with B, KiB or MiB: 300KiB")
    return str(int(found["number"]) * SIZES[found["unit"]])


def _times(field: Located, _: str, __: Known) -> str:
    text = field.text("times")
    if not text.isdigit() or int(text) == 0:
        raise field.fault(f"times: {text!r}", "a whole number from 1")
    return text


def _topic(field: Located, _: str, __: Known) -> str:
    text = field.text("topic")
    if not text or "#" in text or "+" in text:
        raise field.fault(f"topic: {text!r}", "a topic without wildcards: pops/ams/ams-1/order")
    return text


def _one_of(key: str, *allowed: str) -> Callable[[Located, str, Known], str]:
    return lambda field, _, __: field.word(key, allowed)


PARSERS: Final[dict[str, Callable[[Located, str, Known], str]]] = {
    "node": _node,
    "pop": lambda field, _, names: _words(field, "pop", names.pops, every=True),
    "from": lambda field, _, names: _words(field, "from", ("broker", "controller", *names.nodes)),
    "host": lambda field, _, names: _words(field, "host", names.hosts, every=True),
    "process": lambda field, _, __: field.word("process", PROCESSES),
    "program": _one_of("program", "agent", "controller", "nameserver"),
    "service": lambda field, _, __: field.word("service", SERVICES),
    "link": _links,
    "family": _one_of("family", *FAMILIES),
    "direction": _one_of("direction", "both", "in", "out"),
    "loss": _quantity("loss", share),
    "cpu": _quantity("cpu", share),
    "uplink": _quantity("uplink", share),
    "via": lambda field, _, __: field.text("via"),
    "delay": _quantity("delay", duration),
    "jitter": _quantity("jitter", duration),
    "for": _quantity("for", duration),
    "every": _quantity("every", duration),
    "down": _quantity("down", duration),
    "times": _times,
    "file": _file,
    "over": _one_of("over", *REPLACEABLE),
    "topic": _topic,
    "size": _size,
    "retain": _one_of("retain", "yes", "no"),
    "store": _one_of("store", "empty"),
    "how": _one_of("how", "truncate", "fill-disk", "restore"),
}
