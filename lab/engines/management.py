"""The way from the root namespace to the controller's node: what containerlab's `mgmt` network is.

A /30 out of 172.31.200.0/24; the first lab of a machine gets 172.31.200.1 (root) and .2 (node), a
second one beside it the next four addresses.
"""

from __future__ import annotations

import json
import subprocess
from typing import Final

from lab.engines.faults import LabError
from lab.engines.namespaces import batch
from lab.engines.state import Management

PREFIX: Final = "172.31.200"
NODE_INTERFACE: Final = "eth0"


def connect_management(namespace: str) -> Management:
    """Plug a pair of interfaces between the root namespace and `namespace`.

    Raises:
        LabError: all 64 networks are taken.
    """
    taken = _taken()
    for base in range(0, 256, 4):
        root, node = f"{PREFIX}.{base + 1}", f"{PREFIX}.{base + 2}"
        if root in taken:
            continue
        interface = f"amb-mgmt{base}"
        batch(
            [
                f"link add {interface} type veth peer name {NODE_INTERFACE} netns {namespace}",
                f"address add {root}/30 dev {interface}",
                f"link set {interface} up",
            ]
        )
        far = [f"address add {node}/30 dev {NODE_INTERFACE}", f"link set {NODE_INTERFACE} up"]
        batch(far, space=namespace)
        return Management(interface, root, node)
    msg = f"no management network is free in {PREFIX}.0/24"
    raise LabError(msg)


def disconnect_management(management: Management) -> None:
    """Unplug it; nothing happens where it is gone already."""
    batch([f"link del {management.interface}"], force=True)


def _taken() -> set[str]:
    shown = subprocess.run(
        ["ip", "-j", "-4", "address", "show"], capture_output=True, text=True, check=True
    )
    return {info["local"] for link in json.loads(shown.stdout) for info in link["addr_info"]}
