"""Bringing a lab up, and taking hold of one that is up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal

from lab.engines import clab, netns
from lab.engines.faults import LabError
from lab.engines.namespaces import labs_with_namespaces, namespaces_of
from lab.engines.node_init import environment
from lab.engines.running import RunningLab
from lab.engines.state import ROOT, State, known, load
from lab.fibs import FibMonitor
from lab.topology.credentials import make_credentials
from lab.topology.rendering import render
from lab.topology.shapes import Topology

Engine = Literal["netns", "clab"]
READY_TIMEOUT_S: Final = 30.0
LOOK_S: Final = 0.02


def up(
    topology: Topology,
    *,
    name: str = "three-pops",
    engine: Engine = "netns",
    directory: Path | None = None,
    keep: bool = False,
    ready_within: float | None = READY_TIMEOUT_S,
    relayed: Collection[str] = (),
) -> RunningLab:
    """Render a topology, bring it up and wait until its Internet has converged.

    Args:
        topology: what to bring up.
        name: of the lab; several with different names may be up at once.
        engine: `netns` (root needed) or `clab` (containerlab needed).
        directory: for the rendered files and the logs; /run/ambicast-lab/<name> by default.
        keep: leave the lab up when this process ends. Else it is taken down with this process,
            however that ends.
        ready_within: seconds until every transit must have every route that does not depend on
            PoPs; None: do not wait.
        relayed: ends ("ams:eth1") of links whose delay or jitter shall be changeable, or "all".

    Raises:
        LabError: says what did not come up.
    """
    if engine == "netns" and os.geteuid() != 0:
        msg = "the netns engine makes network namespaces, which needs root"
        raise LabError(msg)
    if name in known() or namespaces_of(name):
        msg = f"lab {name!r} is up already (or left over): `lab down` it first"
        raise LabError(msg)
    home = directory or ROOT / name
    render(topology, home)
    make_credentials(topology, home)
    if engine == "netns":
        lab: RunningLab = netns.bring_up(topology, name, home, relayed)
    else:
        lab = clab.bring_up(topology, name, home)
    try:
        if not keep:
            lab.guard(_guard(name))
        if ready_within is not None:
            await_ready(lab, ready_within)
    except BaseException:
        lab.down()
        raise
    return lab


def attach(name: str = "three-pops") -> RunningLab:
    """Take hold of a lab that is up.

    Raises:
        LabError: there is none of that name.
    """
    return _wrap(load(name))


def down_all() -> list[str]:
    """Take every lab of this machine down, left-over namespaces too; returns their names."""
    gone = known()
    for name in gone:
        attach(name).down()
    left = labs_with_namespaces()
    for name in left:
        netns.take_away(name, None)
    return sorted({*gone, *left})


def monitor(lab: RunningLab) -> FibMonitor:
    """A FIB monitor over all nodes of a lab."""
    networks = {node.name: lab.network(node.name) for node in lab.topology.nodes}
    return FibMonitor(networks, lab.topology.links)


def await_ready(lab: RunningLab, within: float) -> None:
    """Wait until every transit routes every prefix that does not depend on PoPs.

    Raises:
        LabError: not within that many seconds; names what is missing.
    """
    deadline = time.monotonic() + within
    transits = [node.name for node in lab.topology.of_role("transit")]
    with monitor(lab) as fibs:
        while missing := _missing(fibs, transits, lab.topology.reachable):
            if time.monotonic() > deadline:
                node, prefix = missing
                msg = (
                    f"not ready within {within:g} s: {node} has no route for {prefix}; "
                    f"see {lab.directory / node / 'log'}"
                )
                raise LabError(msg)
            time.sleep(LOOK_S)
            fibs.read()


def _missing(
    fibs: FibMonitor, transits: list[str], prefixes: tuple[str, ...]
) -> tuple[str, str] | None:
    """A (transit, prefix) that has no way yet; a transit's own prefixes end in its own links."""
    for prefix in prefixes:
        without = [node for node in transits if not fibs.has_route(node, prefix)]
        if len(without) > 1:
            return without[0], prefix
    return None


def _wrap(state: State) -> RunningLab:
    if state.engine == "netns":
        return netns.NetnsLab(state)
    return clab.ClabLab(state)


def _guard(name: str) -> subprocess.Popen[bytes]:
    """A process that takes the lab down as soon as this one is gone."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "lab.engines.guard", name],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
