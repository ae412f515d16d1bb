"""Writes a topology as a containerlab file, with every node's files in a folder beside it.

What containerlab has no field for goes where its schema leaves room: role and ASN are labels, a
link's delay is one of its `vars`. Addresses and routes are `exec` lines, run after the node's
process has started: its programs must bear addresses that appear later.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import yaml

from lab.topology.shapes import Address, Node, Topology

NODE_FILE = "/etc/ambicast/node.json"
LOG_DIRECTORY = "/var/log/ambicast"
START = f"python3 -m lab.nodes.start {NODE_FILE}"
NO_DEFAULT = "ip route flush exact 0.0.0.0/0"  # Docker's own, by eth0, would win over ours
MANAGEMENT = {"network": "ambicast-lab", "ipv4-subnet": "172.31.200.0/24"}


def file_name(topology: Topology) -> str:
    """The name of the rendered containerlab file."""
    return f"{topology.name}.clab.yml"


def render(topology: Topology, directory: Path) -> Path:
    """Write the containerlab file and all node files below `directory`; returns the former."""
    directory.mkdir(parents=True, exist_ok=True)
    for node in topology.nodes:
        home = directory / node.name
        (home / "log").mkdir(parents=True, exist_ok=True)
        for path, content in _files(node).items():
            (home / _beside(path)).write_text(content)
    target = directory / file_name(topology)
    target.write_text(clab_yaml(topology))
    return target


def clab_yaml(topology: Topology) -> str:
    """The containerlab file's text."""
    document = {
        "name": topology.name,
        "mgmt": MANAGEMENT,
        "topology": {
            "nodes": {node.name: _node(node) for node in topology.nodes},
            "links": [
                {
                    "endpoints": [f"{end.node}:{end.interface}" for end in (link.a, link.b)],
                    **({"vars": {"delay": link.delay}} if link.delay else {}),
                }
                for link in topology.links
            ],
        },
    }
    return yaml.safe_dump(document, sort_keys=False, width=120)


def _node(node: Node) -> dict[str, object]:
    binds = [f"{node.name}/{_beside(path)}:{path}" for path in _files(node)]
    labels: dict[str, str] = {"ambicast.role": node.role}
    if node.asn is not None:
        labels["ambicast.asn"] = str(node.asn)
    if node.management:
        labels["ambicast.management"] = "yes"
    return {
        "kind": "linux",
        "image": node.image,
        "cmd": START,
        "binds": [*binds, f"{node.name}/log:{LOG_DIRECTORY}"],
        "sysctls": dict(node.sysctls),
        "exec": [*map(_address, node.addresses), NO_DEFAULT, *map(_route, node.routes)],
        "labels": labels,
    }


def _files(node: Node) -> dict[str, str]:
    """All files of a node by their path inside it, the starter's own first."""
    start = {
        "node": node.name,
        "directories": node.directories,
        "programs": [msgspec.to_builtins(program) for program in node.programs],
    }
    return {NODE_FILE: json.dumps(start, indent=2) + "\n", **node.files}


def _beside(path: str) -> str:
    """The name of the copy of an inner `path` in the node's folder."""
    return path.rpartition("/")[2]


def _address(address: Address) -> str:
    nodad = " nodad" if ":" in address.address else ""
    return f"ip address replace {address.address} dev {address.interface}{nodad}"


def _route(route: str) -> str:
    return f"ip route replace {route}"
