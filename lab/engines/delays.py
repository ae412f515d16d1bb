"""Links, with or without delay.

A link without delay is a veth pair. A delayed one is a veth pair with netem at both ends where the
kernel has netem, else a pair of TAP interfaces with a relay process between them (`relay`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lab.engines.faults import LabError
from lab.engines.namespaces import NETNS, batch, namespace
from lab.engines.node_init import environment
from lab.topology.reading import ClabLink

PROBE: Final = "netem-probe"
UNITS_S: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def seconds(delay: str) -> float:
    """A delay as netem writes it ("20ms"), in seconds.

    Raises:
        LabError: not a number with a unit.
    """
    for unit in sorted(UNITS_S, key=len, reverse=True):
        if delay.endswith(unit):
            try:
                return float(delay.removesuffix(unit)) * UNITS_S[unit]
            except ValueError:
                break
    msg = f"delay {delay!r}: a number with one of {', '.join(UNITS_S)} is wanted"
    raise LabError(msg)


def netem_works() -> bool:
    """Whether this kernel has netem, tried in a namespace made for it."""
    try:
        batch([f"netns add {PROBE}"])
        argv = ["tc", "-n", PROBE, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    finally:
        batch([f"netns del {PROBE}"], force=True)


class Cables:
    """All links of one lab."""

    def __init__(self, lab: str, links: Iterable[ClabLink], directory: Path) -> None:
        """Sort links into plain and delayed ones."""
        self._lab = lab
        self._directory = directory
        every = list(links)
        self._delayed = [link for link in every if "delay" in link.vars]
        self._plain = [link for link in every if "delay" not in link.vars]

    def plug(self) -> tuple[str, subprocess.Popen[bytes] | None]:
        """Make all links; returns how delays are made, and the relay if there is one."""
        if not self._delayed:
            batch(map(self._veth, self._plain))
            return "none", None
        if netem_works():
            batch(map(self._veth, self._plain + self._delayed))
            for link in self._delayed:
                self._netem(link)
            return "netem", None
        batch(map(self._veth, self._plain))
        return "relay", self._relay()

    def _ends(self, link: ClabLink) -> list[tuple[str, str]]:
        """(namespace, interface) of both ends."""
        pairs = [endpoint.split(":") for endpoint in link.endpoints]
        return [(namespace(self._lab, node), interface) for node, interface in pairs]

    def _veth(self, link: ClabLink) -> str:
        (a, a_if), (b, b_if) = self._ends(link)
        return f"link add {a_if} netns {a} type veth peer name {b_if} netns {b}"

    def _netem(self, link: ClabLink) -> None:
        for space, interface in self._ends(link):
            argv = ["tc", "-n", space, "qdisc", "add", "dev", interface, "root", "netem"]
            subprocess.run([*argv, "delay", link.vars["delay"]], check=True, capture_output=True)

    def _relay(self) -> subprocess.Popen[bytes]:
        """Start the relay and wait until its interfaces are there."""
        links = [
            {
                "ends": [[str(NETNS / space), interface] for space, interface in self._ends(link)],
                "delay_s": seconds(link.vars["delay"]),
            }
            for link in self._delayed
        ]
        spec = self._directory / "relay.json"
        spec.write_text(json.dumps(links))
        log = self._directory / "relay.log"
        with log.open("ab") as errors:
            relay = subprocess.Popen(
                [sys.executable, "-m", "lab.engines.relay", str(spec)],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert relay.stdout is not None
        with relay.stdout as said:
            ready = said.readline() == b"ready\n"
        if not ready:
            relay.kill()
            relay.wait()
            msg = f"the delay relay did not start: {log.read_text().strip()[-300:]}"
            raise LabError(msg)
        return relay
