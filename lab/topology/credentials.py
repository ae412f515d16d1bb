"""What the broker knows its clients by, made anew whenever a lab comes up.

Certificates, one password per user, and the access list of the lab's own fleet file; the files
stand empty in the nodes until then.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from ambicast.contract.access import VIEWER, access_list
from ambicast.contract.topics import everything
from ambicast.files import load_fleet
from ambicast.model.fleet import Fleet
from lab.nodes.broker import (
    ACCESS_FILE,
    AUTHORITY_FILE,
    CERTIFICATE_FILE,
    KEY_FILE,
    LAB,
    LAB_FILE,
    LISTENER,
    LISTENER_FILE,
    OF_BROKER,
    OF_CLIENT,
    PASSWORD_FILE,
    PASSWORDS_FILE,
    VIEWER_FILE,
)
from lab.nodes.programs import AGENT_FILE, CONTROLLER_FILE
from lab.topology.certificates import Authority
from lab.topology.shapes import Node, Topology

# Mosquitto's own number for passwords of its making; these are random, so it is enough.
_ROUNDS: Final = 101
# The way from the root namespace, where no other lab is up.
_MANAGEMENT: Final = "172.31.200.2"


def make_credentials(topology: Topology, home: Path) -> None:
    """Write the secrets of all nodes of a rendered topology into its folder ``home``."""
    broker = next((n for n in topology.nodes if KEY_FILE in n.files), None)
    if broker is None:
        return
    authority = Authority()
    clients = {node.name: user for node in topology.nodes if (user := _user(node))}
    passwords = {
        user: secrets.token_urlsafe(18) for user in (*clients.values(), VIEWER, LAB, LISTENER)
    }
    for node, user in clients.items():
        _write(home / node, AUTHORITY_FILE, authority.certificate)
        _write(home / node, PASSWORD_FILE, passwords[user] + "\n")
    mine = home / broker.name
    reached = ["127.0.0.1", "::1", _MANAGEMENT, *(a.bare for a in broker.addresses)]
    pair = authority.issue(broker.name, reached)
    _write(mine, CERTIFICATE_FILE, pair.certificate)
    _write(mine, KEY_FILE, pair.key)
    _write(mine, VIEWER_FILE, passwords[VIEWER] + "\n")
    _write(mine, LAB_FILE, passwords[LAB] + "\n")
    _write(mine, LISTENER_FILE, passwords[LISTENER] + "\n")
    _write(mine, PASSWORDS_FILE, password_file(passwords))
    _write(mine, ACCESS_FILE, _access(load_fleet(mine / "fleet.yaml")))


def _access(fleet: Fleet) -> str:
    """The fleet's list, and what the lab may: hear and say everything, as hostile as it likes."""
    topics = everything(fleet.name)
    own = f"user {LAB}\ntopic readwrite {topics}\n\nuser {LISTENER}\ntopic read {topics}\n"
    return f"{access_list(fleet)}\n{own}"


def empty_files(node: str, *, broker: bool = False) -> dict[str, str]:
    """What is made later, for the files of a client's node, or of the broker's."""
    later = f"made when the lab comes up, for {node}\n"
    return dict.fromkeys((*OF_CLIENT, *(OF_BROKER if broker else ())), later)


def password_file(passwords: Mapping[str, str]) -> str:
    """Mosquitto's ``password_file``: PBKDF2 with SHA-512 (its method 7)."""
    return "".join(f"{user}:{_hashed(word)}\n" for user, word in sorted(passwords.items()))


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    spelled = [base64.b64encode(each).decode() for each in (salt, digest)]
    return f"$7${_ROUNDS}${spelled[0]}${spelled[1]}"


def _user(node: Node) -> str | None:
    """The broker's user for this node's program, from its settings."""
    for path in (AGENT_FILE, CONTROLLER_FILE):
        if path in node.files:
            user = yaml.safe_load(node.files[path])["broker"].get("username")
            return str(user) if user else None
    return None


def _write(folder: Path, inner: str, content: str) -> None:
    path = folder / inner.rpartition("/")[2]
    path.write_text(content)
    path.chmod(0o600)
