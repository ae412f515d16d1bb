"""The settings files of Ambicast's programs inside the lab."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import yaml

from ambicast.contract.access import CONTROLLER
from lab.nodes.broker import connection
from lab.routers.policy import BFD_MULTIPLIER, bfd_interval_ms
from lab.topology.attachments import Host, hosts_of
from lab.topology.internet import ANYCAST, STEERED_V6, Internet, Pop
from lab.topology.shapes import BfdChoice

FLEET_FILE = "/etc/ambicast/fleet.yaml"
API_PORT = 8080


def agent_yaml(pop: Pop, host: Host, broker: str, hold_s: int, bfd: BfdChoice = "off") -> str:
    """agent.yaml of a PoP's host.

    Args:
        pop: whose agent.
        host: on which of its hosts.
        broker: its address, outside every steered prefix.
        hold_s: BGP hold time.
        bfd: how soon BFD notices that an uplink's neighbor is silent.
    """
    router_id = host.identity[host.uplinks[0].name]["v4"]
    settings: dict[str, object] = {
        "fleet": FLEET_FILE,
        "pop": pop.name,
        "host": host.name,
        "broker": connection(broker, host.name),
        "watch_key_file": "/etc/ambicast/watch.key",
        "state_dir": "/var/lib/ambicast",
        # /proc/stat is the whole machine's, and every node is on it: a node says its own load.
        "load": {"cpu": "/run/ambicast/cpu"},
        "exabgp": {
            "bridge": "/run/ambicast/exabgp.sock",
            "hold": f"{hold_s}s",
            "router_id": router_id,
        },
    }
    if pop.nameserver and host == hosts_of(pop)[0]:
        settings["knot"] = {
            "socket": "/run/knot/knot.sock",
            "directory": "/var/lib/ambicast/knot",
        }
    if bfd != "off":
        interval = f"{bfd_interval_ms(bfd)}ms"
        settings["bfd"] = {"interval": interval, "multiplier": BFD_MULTIPLIER}
    settings["allow"] = [
        {"prefix": "198.18.0.0/15", "longest": 24},
        {"prefix": STEERED_V6[0], "longest": 48},
        {"prefix": ANYCAST["v6"], "longest": 48},
    ]
    return yaml.safe_dump(settings, sort_keys=False, width=99)


def controller_yaml(techniques: Sequence[str] | None) -> str:
    """controller.yaml; `techniques` only where a baseline restricts them."""
    settings: dict[str, object] = {
        "fleet": FLEET_FILE,
        "broker": connection("127.0.0.1", CONTROLLER),
        "journal": "/var/lib/ambicast/journal.sqlite",
        "api": {"host": "0.0.0.0", "port": API_PORT},
    }
    if techniques is not None:
        settings["techniques"] = list(techniques)
    return yaml.safe_dump(settings, sort_keys=False, width=99)


def watch_key(internet: Internet) -> str:
    """The key that probes are authenticated with: no secret, but the same on every host."""
    return hashlib.sha256(f"ambicast lab {internet.name}".encode()).hexdigest() + "\n"
