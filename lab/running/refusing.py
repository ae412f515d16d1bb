"""Where refusals are said: receipts on the bus, the programs' logs, the controller's own count."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from ambicast.contract.codec import ContractError, decode
from ambicast.contract.messages import Outcome, Receipt
from ambicast.contract.topics import Channel, OfHost, parse
from lab.engines.running import RunningLab
from lab.judging.refusals import COUNTED, Refusal

CONTROLLER: Final = "controller"
# Of a log's line; the rest is what the program has to say.
_ENVELOPE: Final = ("level", "timestamp", "pop", "host")


def of_message(fleet: str, topic: str, payload: bytes, t_ns: int) -> Refusal | None:
    """What a host's receipt refuses, every offence in it."""
    match parse(fleet, topic):
        case OfHost(_, host, Channel.RECEIPT):
            pass
        case _:
            return None
    try:
        body = decode(payload).body
    except ContractError:
        return None
    if not isinstance(body, Receipt) or body.outcome is not Outcome.REFUSED:
        return None
    return Refusal(t_ns, str(host), "; ".join(body.refusals))


def in_logs(lab: RunningLab) -> Iterator[Refusal]:
    """Errors in the logs of all agents and of the controller: settings, fleet files, journals."""
    for node in lab.topology.nodes:
        for program in node.programs:
            if program.name not in ("agent", CONTROLLER):
                continue
            path = lab.directory / node.name / "log" / f"{program.name}.log"
            for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
                if '"error"' in line and (found := _of_line(line, program.name)) is not None:
                    yield found


def _of_line(line: str, program: str) -> Refusal | None:
    try:
        said: dict[str, Any] = json.loads(line)
        if said.get("level") != "error":
            return None
        t_ns = int(datetime.fromisoformat(said["timestamp"]).timestamp() * 1e9)
    except (ValueError, KeyError):
        return None
    who = CONTROLLER if program == CONTROLLER else said.get("host", "")
    why = " ".join(str(value) for key, value in said.items() if key not in _ENVELOPE)
    return Refusal(t_ns, who, why)


def counted(faults: Iterable[tuple[int, int]]) -> list[Refusal]:
    """The controller's `faults`, as its API tells them: each one more is a refusal that counts.

    What stood there at first is of before; a controller that was started anew counts from 0.
    """
    found: list[Refusal] = []
    last: int | None = None
    for t_ns, count in faults:
        gained = 0 if last is None else count - last if count >= last else count
        found += [Refusal(t_ns, CONTROLLER, COUNTED)] * gained
        last = count
    return found
