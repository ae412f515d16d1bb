"""A lab of network namespaces: the containerlab file brought up without containers.

Every node has its own network, mount, PID, UTS and IPC namespace. The network namespaces have
names (`amb-<lab>.<node>`) and outlive their nodes, so that a powered-off node keeps its cables;
the others live and die with the node's process 1.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from lab.engines.delays import Cables
from lab.engines.faults import LabError, heal_rules, voice_rules
from lab.engines.management import connect_management, disconnect_management
from lab.engines.namespaces import (
    NETNS,
    batch,
    inode,
    kill_all,
    namespace,
    namespaces_of,
    write_sysctls,
)
from lab.engines.node_init import command, environment, hosts_file, script
from lab.engines.running import RunningLab
from lab.engines.state import ROOT, State
from lab.topology.reading import ClabFile, read
from lab.topology.rendering import file_name
from lab.topology.shapes import Topology

INIT_TIMEOUT_S = 10.0


def bring_up(
    topology: Topology, name: str, directory: Path, relayed: Collection[str] = ()
) -> NetnsLab:
    """Build everything that `directory`'s containerlab file says and start all nodes.

    `relayed`: ends of the links whose delay or jitter shall be changeable, or `all`.

    Raises:
        LabError: something could not be built; what was built is taken away again.
    """
    clab = read(directory / file_name(topology))
    state = State(
        name=name, engine="netns", directory=str(directory), delay="none", topology=topology
    )
    lab = NetnsLab(state)
    try:
        lab.plumb(clab, relayed)
        for node in clab.topology.nodes:
            lab.boot(node)
        lab.await_nodes()
        state.save()
    except BaseException:
        lab.down()
        raise
    return lab


class NetnsLab(RunningLab):
    """A lab of network namespaces."""

    def __init__(self, state: State) -> None:
        """Take hold of a lab by its state."""
        super().__init__(state)
        self._children: list[subprocess.Popen[bytes]] = []  # started by this very process

    def pid(self, node: str) -> int:
        """The node's process 1 as seen from here."""
        self.topology.node(node)
        pid = self.state.nodes.get(node)
        if pid is None or inode(Path(f"/proc/{pid}/ns/net")) != inode(self.network(node)):
            msg = f"{node} is powered off"
            raise LabError(msg)
        return pid

    def network(self, node: str) -> Path:
        """The node's network namespace, which outlives it."""
        return NETNS / namespace(self.name, node)

    def command(self, node: str, argv: Sequence[str]) -> list[str]:
        """Enter all the node's namespaces; die with whoever waits for it."""
        enter = ["nsenter", "-t", str(self.pid(node)), "-m", "-u", "-i", "-n", "-p", "--wd=/"]
        return [*enter, "--", "setpriv", "--pdeathsig", "TERM", *argv]

    def environment(self) -> dict[str, str]:
        """What the node's own programs have."""
        return environment()

    def plumb(self, clab: ClabFile, relayed: Collection[str] = ()) -> None:
        """Namespaces, their sysctls, then links (so that new interfaces inherit them)."""
        nodes = clab.topology.nodes
        batch(f"netns add {namespace(self.name, node)}" for node in nodes)
        for name, node in nodes.items():
            write_sysctls(namespace(self.name, name), node.sysctls)
        cables = Cables(self.name, clab.topology.links, self.directory, relayed)
        self.delay, relay = cables.plug()
        self.state.delay, self.state.relayed = self.delay, tuple(cables.relayed)
        if relay is not None:
            self.state.relay = relay.pid
            self._children.append(relay)
        for name, node in nodes.items():
            if "ambicast.management" in node.labels:
                self.state.management = connect_management(namespace(self.name, name))
        self.state.save()

    def boot(self, node: str) -> None:
        """Start one node; does not wait until it runs."""
        clab = read(self.directory / file_name(self.topology)).topology.nodes[node]
        home = self.directory / node
        (home / "hosts").write_text(hosts_file(node))
        (home / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (home / "init.sh").write_text(script(node, clab, self.topology.node(node).uplinks))
        with (home / "log" / "init.log").open("ab") as log:
            keeper = subprocess.Popen(
                command(namespace(self.name, node), home / "init.sh", self.directory),
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        self._children.append(keeper)
        self.state.keepers[node] = keeper.pid

    def await_nodes(self) -> None:
        """Wait until every started node has its process 1 running the node's command."""
        deadline = time.monotonic() + INIT_TIMEOUT_S
        for node, keeper in self.state.keepers.items():
            while (pid := _init_of(keeper)) is None:
                if time.monotonic() > deadline or not Path(f"/proc/{keeper}").exists():
                    raise LabError(self._why_not(node))
                time.sleep(0.005)
            self.state.nodes[node] = pid

    def poweroff(self, node: str) -> None:
        """Kill the node; its neighbors lose their carrier."""
        ours = namespace(self.name, node)
        kill_all([ours], self.state.keepers.values())
        self._reap()
        ends = self.topology.node(node).uplinks
        batch((f"link set {end} down" for end in ends), space=ours, force=True)
        self.state.nodes.pop(node, None)
        self.state.save()

    def poweron(self, node: str) -> None:
        """Clean what the dead node left in its kernel, and boot it."""
        if self.is_on(node):
            return
        ours = namespace(self.name, node)
        uplinks = self.topology.node(node).uplinks
        self._nft(node, voice_rules(uplinks) + heal_rules())
        batch(
            [
                "address flush dev lo scope global",
                "rule flush",
                "rule add lookup main priority 32766",
                "rule add lookup default priority 32767",
            ],
            space=ours,
            force=True,
        )
        self.boot(node)
        self.await_nodes()
        self.state.save()

    def _take_away(self) -> None:
        """Kill everything that lives in the lab's namespaces, then remove them and the state."""
        take_away(self.name, self.state)
        self._reap(wait=True)

    def _reap(self, *, wait: bool = False) -> None:
        """Take note of children that have ended, or of all once they have."""
        for child in self._children:
            if wait:
                child.wait()
        self._children = [child for child in self._children if child.poll() is None]

    def _why_not(self, node: str) -> str:
        log = self.directory / node / "log" / "init.log"
        last = log.read_text(errors="replace").strip().splitlines()[-3:]
        return f"{node} did not start: {' | '.join(last) or 'no word why'} ({log})"


def take_away(name: str, state: State | None) -> None:
    """Remove whatever there is of lab `name`, known or not."""
    names = namespaces_of(name)
    if state is not None and state.relay is not None:
        _kill_relay(state.relay)
    kill_all(names, state.keepers.values() if state is not None else ())
    if state is not None and state.management is not None:
        disconnect_management(state.management)
    batch((f"netns del {each}" for each in names), force=True)
    shutil.rmtree(ROOT / name, ignore_errors=True)


def _kill_relay(pid: int) -> None:
    with suppress(OSError):
        if b"lab.engines.relay" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


def _init_of(keeper: int) -> int | None:
    """Process 1 of the PID namespace that `keeper` (unshare) made, once it runs the starter."""
    try:
        children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
        for child in children:
            if b"lab.nodes.start" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    except OSError:
        return None
    return None
