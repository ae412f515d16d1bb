"""A lab of containers: the same containerlab file, brought up by containerlab itself.

What the file cannot say is done beside it: link delays by `containerlab tools netem` (which sets
all impairments of an interface at once), commands by `docker exec`. Faults of links are made from
outside, in the container's network namespace, exactly as for namespaces of our own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.engines.state import ROOT, Management, State
from lab.topology.reading import read
from lab.topology.rendering import file_name
from lab.topology.shapes import Topology

PREFIX = "clab"


def bring_up(topology: Topology, name: str, directory: Path) -> ClabLab:
    """Deploy `directory`'s containerlab file under the name `name`.

    Raises:
        LabError: containerlab or Docker is missing, or refuses.
    """
    for tool in ("containerlab", "docker"):
        if shutil.which(tool) is None:
            msg = f"engine clab: {tool} is not installed"
            raise LabError(msg)
    lab = ClabLab(
        State(
            name=name,
            engine="clab",
            directory=str(directory),
            delay="none",
            topology=topology,
        )
    )
    _run(["containerlab", "deploy", "--topo", str(lab.file), "--name", name])
    try:
        lab.after_deploy()
    except BaseException:
        lab.down()
        raise
    return lab


class ClabLab(RunningLab):
    """A lab of containers."""

    @property
    def file(self) -> Path:
        """The containerlab file."""
        return self.directory / file_name(self.topology)

    def container(self, node: str) -> str:
        """The name of a node's container."""
        self.topology.node(node)
        return f"{PREFIX}-{self.name}-{node}"

    def pid(self, node: str) -> int:
        """The container's process 1 as seen from here."""
        pid = int(self._inspect(node, "{{.State.Pid}}"))
        if pid == 0:
            msg = f"{node} is powered off"
            raise LabError(msg)
        return pid

    def network(self, node: str) -> Path:
        """The container's network namespace, which ends with it."""
        return Path(f"/proc/{self.pid(node)}/ns/net")

    def command(self, node: str, argv: Sequence[str]) -> list[str]:
        """`docker exec`, with a terminal where there is one."""
        terminal = ["-t"] if sys.stdin is not None and sys.stdin.isatty() else []
        return ["docker", "exec", "-i", *terminal, self.container(node), *argv]

    def poweroff(self, node: str) -> None:
        """Cut all cables, so that nobody hears a farewell, and stop the container.

        `containerlab stop` keeps the interfaces aside; Docker's own kill would destroy them.
        """
        self._ip(node, [f"link set {end} down" for end in self.topology.node(node).uplinks])
        _run(["containerlab", "stop", "--name", self.name, "--node", node])

    def poweron(self, node: str) -> None:
        """Start the container and set up its links as at first."""
        if self.is_on(node):
            return
        _run(["containerlab", "start", "--name", self.name, "--node", node])
        for interface in self.topology.node(node).uplinks:
            self.link_up(node, interface)
        self._delay_links(node)

    def after_deploy(self) -> None:
        """Delay the links and keep the lab's state."""
        self._delay_links()
        for node in self.topology.of_role("controller"):
            address = self._inspect(
                node.name, "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
            ).split()
            if address:
                self.state.management = Management("", "", address[0])
        self.state.nodes = {node.name: self.pid(node.name) for node in self.topology.nodes}
        self.state.save()

    def _take_away(self) -> None:
        if self.file.exists():
            _run(
                [
                    "containerlab",
                    "destroy",
                    "--topo",
                    str(self.file),
                    "--name",
                    self.name,
                    "--cleanup",
                ]
            )
        shutil.rmtree(ROOT / self.name, ignore_errors=True)

    def _delay_links(self, only: str | None = None) -> None:
        for link in read(self.file).topology.links:
            delay = link.vars.get("delay")
            if delay is None:
                continue
            for endpoint in link.endpoints:
                node, _, interface = endpoint.partition(":")
                if only is None or node == only:
                    where = ["-n", self.container(node), "-i", interface]
                    _run(["containerlab", "tools", "netem", "set", *where, "--delay", delay])
            self.delay = self.state.delay = "netem"

    def _inspect(self, node: str, form: str) -> str:
        return _run(["docker", "inspect", "-f", form, self.container(node)]).strip()


def _run(argv: list[str]) -> str:
    """Run a tool; its last words are the error where it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
        msg = f"{' '.join(argv[:2])}: {words}"
        raise LabError(msg)
    return done.stdout
