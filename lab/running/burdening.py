"""`load`: a host at its limit, by what its agent looks at.

An uplink is really filled, as full as the fleet file says it can be. The CPUs are not: all nodes
share the machine's, and a lab that burnt them would measure itself. Agents of the lab read a
file that says how busy they are, and that is what is changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from ambicast.model.quantities import duration, rate, share
from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.topology.settings import FLEET_FILE

MOST_BITS: Final = 100e6  # a second: more would measure the machine
MACHINE: Final = "/proc"


def fill_uplink(
    lab: RunningLab, node: str, wanted: str, seconds: str, via: str | None = None
) -> None:
    """Fill a share of a host's uplink `via` (its first, if it is not named) for so long.

    Raises:
        LabError: no such uplink, or one too large to be filled here.
    """
    fleet = yaml.safe_load(lab.topology.node(node).files[FLEET_FILE])
    pop = _agent(lab, node)["pop"]
    uplinks: dict[str, Any] = fleet["pops"][pop]["uplinks"]
    name = via or next(iter(uplinks))
    if name not in uplinks:
        msg = f"{pop} has no uplink {name}; there are {', '.join(uplinks)}"
        raise LabError(msg)
    bits = rate(uplinks[name]["capacity"]) * share(wanted)
    if bits > MOST_BITS:
        msg = f"{name} of {pop} is too large to be filled here: set settings.uplink_capacity"
        raise LabError(msg)
    burden = f"python3 -m lab.nodes.burden {uplinks[name]['neighbor']['v4']}"
    how = f"{bits / 8:.0f} {duration(seconds):g} </dev/null >/dev/null 2>&1 &"
    lab.exec(node, ["sh", "-c", f"{burden} {how}"])  # the node's first process adopts it


def say_cpu(lab: RunningLab, node: str, busy: float) -> None:
    """Let the host's agent read that its CPUs are so busy (0..1).

    Raises:
        LabError: the agent looks at the machine's own.
    """
    path = _agent(lab, node).get("load", {}).get("cpu", f"{MACHINE}/stat")
    if path.startswith(MACHINE):
        if not busy:
            return
        msg = f"the agent of {node} looks at this machine's CPUs ({path}), which are not its own"
        raise LabError(msg)
    Path(f"/proc/{lab.pid(node)}/root{path}").write_text(f"{busy:g}\n")


def _agent(lab: RunningLab, node: str) -> Any:
    return yaml.safe_load((lab.directory / node / "agent.yaml").read_text())
