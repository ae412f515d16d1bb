"""Steps carried out on a lab. Every call blocks until the deed is done."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import httpx
import yaml

from ambicast.model.quantities import duration, share
from lab.engines.faults import Family, LabError
from lab.engines.impairments import Direction, Impairment
from lab.engines.running import RunningLab
from lab.nodes.programs import AGENT_FILE
from lab.running.braking import brake
from lab.running.burdening import fill_uplink, say_cpu
from lab.running.orders import give_order, publish_file
from lab.running.storage import forget_store, journal, reload
from lab.scenarios.shapes import Step
from lab.topology.shapes import Node, Topology

Arguments = Mapping[str, str]
Deed = Callable[[RunningLab, Arguments], Any]
CONTROLLER: Final = "ctl1"
EVERY: Final = "all"
TIMEOUT_S: Final = 5.0


def perform(lab: RunningLab, step: Step) -> None:
    """Do `step`.

    Raises:
        LabError: it cannot be done; says where and why.
    """
    try:
        DEEDS[step.action](lab, step.arguments)
    except (LabError, OSError, KeyError, httpx.HTTPError, subprocess.SubprocessError) as fault:
        message = f"{step.where}: {step.action}: {fault}"
        raise LabError(message) from fault


def nodes_of(lab: RunningLab, pop: str) -> list[str]:
    """The nodes of a PoP's hosts, as the lab's agents know whose they are; none for others."""
    return [node.name for node in lab.topology.of_role("pop") if _pop_of(node) == pop]


def _pop_of(node: Node) -> str:
    settings = node.files.get(AGENT_FILE)
    return str(yaml.safe_load(settings)["pop"]) if settings else node.name


def _nodes(arguments: Arguments) -> list[str]:
    return arguments["node"].split(",")


def _each(deed: Callable[[RunningLab, str], Any]) -> Deed:
    """The deed for every node that is named."""

    def do(lab: RunningLab, arguments: Arguments) -> None:
        for node in _nodes(arguments):
            deed(lab, node)

    return do


def _links(deed: Callable[[RunningLab, str, str], Any]) -> Deed:
    """The deed for every link that is named by one of its ends."""

    def do(lab: RunningLab, arguments: Arguments) -> None:
        for end in _ends(lab, arguments["link"]):
            node, _, interface = end.partition(":")
            deed(lab, node, interface)

    return do


def _ends(lab: RunningLab, links: str) -> list[str]:
    """`NODE:ethN` of every link that is meant; `NODE:NODE` is the first one between the two."""
    return [end if end == EVERY else _end(lab.topology, end) for end in links.split(",")]


def _end(topology: Topology, end: str) -> str:
    name, _, far = end.partition(":")
    for link in topology.links:
        for here, there in ((link.a, link.b), (link.b, link.a)):
            if here.node == name and far in (here.interface, there.node):
                return f"{name}:{here.interface}"
    message = f"there is no link {end}"
    raise LabError(message)


def _having(lab: RunningLab, arguments: Arguments) -> list[str]:
    """The nodes that are meant: `all` are those that have the program."""
    if arguments["node"] != EVERY:
        return _nodes(arguments)
    program = arguments["process"]
    return [n.name for n in lab.topology.nodes if any(p.name == program for p in n.programs)]


def _signal(number: int) -> Deed:
    """To all of them at the same time: first every process id is found, then the signals go."""

    def send(lab: RunningLab, arguments: Arguments) -> None:
        program = arguments["process"]
        pids = {node: lab.program_pid(node, program) for node in _having(lab, arguments)}
        for node, pid in pids.items():
            if pid is None:
                message = f"{program} is not running on {node}"
                raise LabError(message)
        for pid in pids.values():
            if pid is not None:
                os.kill(pid, number)

    return send


def _restart(lab: RunningLab, arguments: Arguments) -> None:
    nodes = _having(lab, arguments)
    for node in nodes:
        lab.stop(node, arguments["process"])
    for node in nodes:
        lab.start(node, arguments["process"])


def _serving(number: int) -> Deed:
    """A service's failure or recovery, on every host of the PoPs that are meant."""

    def send(lab: RunningLab, arguments: Arguments) -> None:
        for node in _hosts(lab, arguments["pop"]):
            lab.signal(node, "service", number)

    return send


def _hosts(lab: RunningLab, pops: str) -> Iterator[str]:
    if pops == EVERY:
        yield from (node.name for node in lab.topology.of_role("pop"))
        return
    for pop in pops.split(","):
        yield from nodes_of(lab, pop)


def _silence(lab: RunningLab, arguments: Arguments) -> None:
    for node in _nodes(arguments):
        lab.silence(node, cast(Family | None, arguments.get("family")))


def _link_silent(lab: RunningLab, arguments: Arguments) -> None:
    family = cast(Family | None, arguments.get("family"))
    _links(lambda lab, node, interface: lab.link_silent(node, interface, family))(lab, arguments)


def _impair(lab: RunningLab, arguments: Arguments) -> None:
    how = Impairment(
        loss=share(arguments["loss"]) if "loss" in arguments else 0.0,
        delay_s=duration(arguments["delay"]) if "delay" in arguments else 0.0,
        jitter_s=duration(arguments["jitter"]) if "jitter" in arguments else 0.0,
    )
    direction = cast(Direction, arguments.get("direction", "both"))
    lab.impair(_ends(lab, arguments["link"]), how, direction)


def _partition(lab: RunningLab, arguments: Arguments) -> None:
    addresses = []
    for name in arguments["from"].split(","):
        other = CONTROLLER if name in ("broker", "controller") else name
        pops = nodes_of(lab, other)
        for node in pops or [other]:
            addresses += [a.bare for a in lab.topology.node(node).addresses]
    for node in _nodes(arguments):
        lab.partition(node, addresses)


def _ask_for(verb: str) -> Deed:
    """A planned act, asked of the controller as an operator would."""

    def ask(lab: RunningLab, arguments: Arguments) -> None:
        for pop in arguments["pop"].split(","):
            url = f"{lab.api}/api/v1/pops/{pop}/{verb}"
            answer = httpx.post(url, json={"reason": f"scenario: {verb}"}, timeout=TIMEOUT_S)
            if answer.is_error:
                message = f"{verb} {pop}: {answer.status_code} {answer.text[:300]}"
                raise LabError(message)

    return ask


def _mqtt_start(lab: RunningLab, arguments: Arguments) -> None:
    if arguments.get("store") == "empty":
        forget_store(lab)
    lab.start(CONTROLLER, "mosquitto")


def _publish(lab: RunningLab, arguments: Arguments) -> None:
    retain = arguments.get("retain", "yes") == "yes"
    size = int(arguments.get("size", "0"))
    publish_file(lab, arguments["topic"], arguments.get("file"), size, retain=retain)


def _reload(lab: RunningLab, arguments: Arguments) -> None:
    over = {"over": arguments["over"]} if "over" in arguments else {}
    for node in _nodes(arguments):
        reload(lab, node, arguments["program"], arguments.get("file"), **over)


def _load(lab: RunningLab, arguments: Arguments) -> None:
    for node in _hosts(lab, arguments["pop"]):
        if "cpu" in arguments:
            say_cpu(lab, node, share(arguments["cpu"]))
        else:
            fill_uplink(lab, node, arguments["uplink"], arguments["for"], arguments.get("via"))


def _unload(lab: RunningLab, arguments: Arguments) -> None:
    for node in _hosts(lab, arguments["pop"]):
        say_cpu(lab, node, 0.0)


def _nothing(lab: RunningLab, arguments: Arguments) -> None:
    """What follows from the step is done on its own."""


DEEDS: Final[Mapping[str, Deed]] = {
    "silence": _silence,
    "unsilence": _each(lambda lab, node: lab.unsilence(node)),
    "poweroff": _each(lambda lab, node: lab.poweroff(node)),
    "restore": _each(lambda lab, node: lab.restore(node)),
    "kill": _signal(signal.SIGKILL),
    "pause": _signal(signal.SIGSTOP),
    "resume": _signal(signal.SIGCONT),
    "restart": _restart,
    "link-down": _links(lambda lab, node, interface: lab.link_down(node, interface)),
    "link-silent": _link_silent,
    "link-up": _links(lambda lab, node, interface: lab.link_up(node, interface)),
    "impair": _impair,
    "clear": lambda lab, a: lab.impair(_ends(lab, a["link"]), Impairment()),
    "partition": _partition,
    "heal": _each(lambda lab, node: lab.heal(node)),
    "service-fail": _serving(signal.SIGUSR1),
    "service-restore": _serving(signal.SIGUSR2),
    "checks-fail": _serving(signal.SIGRTMIN),
    "checks-restore": _serving(signal.SIGRTMIN + 1),
    "service-flap": _nothing,  # a row of the two above: lab.scenarios.agenda
    "load": _load,
    "unload": _unload,
    "drain": _ask_for("drain"),
    "undrain": _ask_for("undrain"),
    "mqtt-stop": lambda lab, _: lab.stop(CONTROLLER, "mosquitto"),
    "mqtt-start": _mqtt_start,
    "dns-stop": _each(lambda lab, node: lab.stop(node, "nameserver")),
    "dns-start": _each(lambda lab, node: lab.start(node, "nameserver")),
    "controller-stop": lambda lab, _: lab.stop(CONTROLLER, "controller"),
    "controller-start": lambda lab, _: lab.start(CONTROLLER, "controller"),
    "order": lambda lab, a: give_order(lab, a["host"], a["file"]),
    "publish": _publish,
    "reload": _reload,
    "journal": lambda lab, a: journal(lab, a["how"]),
    "hold": _each(lambda lab, node: brake(lab, node, "hold")),
    "withdraw": _each(lambda lab, node: brake(lab, node, "withdraw")),
    "release": _each(lambda lab, node: brake(lab, node, "release")),
}
