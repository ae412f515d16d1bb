"""Steps carried out on a lab. Every call blocks until the deed is done."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.scenarios.shapes import Step

Arguments = Mapping[str, str]
CONTROLLER: Final = "ctl1"
TIMEOUT_S: Final = 5.0


def perform(lab: RunningLab, step: Step) -> None:
    """Do `step`.

    Raises:
        LabError: it cannot be done; says where and why.
    """
    try:
        DEEDS[step.action](lab, step.arguments)
    except (LabError, OSError, httpx.HTTPError) as fault:
        message = f"{step.where}: {step.action}: {fault}"
        raise LabError(message) from fault


def _link(arguments: Arguments) -> tuple[str, str]:
    node, _, interface = arguments["link"].partition(":")
    return node, interface


def _signal(number: int) -> Callable[[RunningLab, Arguments], None]:
    return lambda lab, a: lab.signal(a["node"], a["process"], number)


def _restart(lab: RunningLab, node: str, program: str) -> None:
    lab.stop(node, program)
    lab.start(node, program)


def _partition(lab: RunningLab, arguments: Arguments) -> None:
    names = {"broker": CONTROLLER, "controller": CONTROLLER}
    others = [names.get(each, each) for each in arguments["from"].split(",")]
    addresses = [a.bare for other in others for a in lab.topology.node(other).addresses]
    lab.partition(arguments["node"], addresses)


def _ask_for(verb: str) -> Callable[[RunningLab, Arguments], None]:
    """A planned act, asked of the controller as an operator would."""

    def ask(lab: RunningLab, arguments: Arguments) -> None:
        url = f"{lab.api}/api/v1/pops/{arguments['pop']}/{verb}"
        answer = httpx.post(url, json={"reason": f"scenario: {verb}"}, timeout=TIMEOUT_S)
        if answer.is_error:
            message = f"{verb} {arguments['pop']}: {answer.status_code} {answer.text[:300]}"
            raise LabError(message)

    return ask


DEEDS: Final[Mapping[str, Callable[[RunningLab, Arguments], None]]] = {
    "silence": lambda lab, a: lab.silence(a["node"]),
    "poweroff": lambda lab, a: lab.poweroff(a["node"]),
    "restore": lambda lab, a: lab.restore(a["node"]),
    "kill": _signal(signal.SIGKILL),
    "pause": _signal(signal.SIGSTOP),
    "restart": lambda lab, a: _restart(lab, a["node"], a["process"]),
    "link-down": lambda lab, a: lab.link_down(*_link(a)),
    "link-silent": lambda lab, a: lab.link_silent(*_link(a)),
    "link-up": lambda lab, a: lab.link_up(*_link(a)),
    "partition": _partition,
    "service-fail": lambda lab, a: lab.signal(a["pop"], "service", signal.SIGUSR1),
    "service-restore": lambda lab, a: lab.signal(a["pop"], "service", signal.SIGUSR2),
    "drain": _ask_for("drain"),
    "undrain": _ask_for("undrain"),
    "mqtt-stop": lambda lab, _: lab.stop(CONTROLLER, "mosquitto"),
    "mqtt-start": lambda lab, _: lab.start(CONTROLLER, "mosquitto"),
    "dns-stop": lambda lab, a: lab.stop(a["node"], "nameserver"),
    "dns-start": lambda lab, a: lab.start(a["node"], "nameserver"),
    "controller-stop": lambda lab, _: lab.stop(CONTROLLER, "controller"),
    "controller-start": lambda lab, _: lab.start(CONTROLLER, "controller"),
}
