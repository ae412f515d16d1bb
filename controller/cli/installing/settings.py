"""The settings files an installation writes; whatever somebody set in them before stays set."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ambicast.model.fleet import Fleet
from ambicast.model.pops import Pop
from controller.cli.installing.changes import InstallError, Put, text_at

ETC = Path("/etc/ambicast")
PASSWORD = ETC / "broker.password"
AUTHORITY = ETC / "broker-ca.pem"
KEY = ETC / "watch.key"
SECRETS = (PASSWORD, KEY, ETC / "broker.key")
CONTROLLER_PASSWORD = ETC / "controller.password"
CONTROLLER_SECRETS = (CONTROLLER_PASSWORD, ETC / "controller.key")
FLEET = ETC / "fleet.yaml"
AGENT = ETC / "agent.yaml"
CONTROLLER = ETC / "controller.yaml"
STATE = Path("/var/lib/ambicast")
CONTROLLER_STATE = Path("/var/lib/ambicast-controller")
MARK = "installed.json"
WRITTEN = "# Written by `ambicast install`, which keeps what you change here, but not comments.\n"
KEY_BYTES = 32
PLAIN_PORT, TLS_PORT = 1883, 8883


class Broker:
    """``HOST`` or ``HOST:PORT`` (``[v6]:PORT``), as given on the command line."""

    def __init__(self, text: str) -> None:
        """``text`` as typed; raises :class:`InstallError`."""
        host, port = text, ""
        if text.startswith("["):
            host, _, port = text[1:].partition("]")
            port = port.removeprefix(":")
        elif text.count(":") == 1:
            host, _, port = text.partition(":")
        if not host or (port and not (port.isdecimal() and 1 <= int(port) <= 65535)):
            raise InstallError(f"broker {text!r}: HOST, HOST:PORT or [HOST]:PORT is allowed")
        self.host, self.port = host, int(port) if port else None


def existing(root: Path, path: Path) -> dict[str, Any]:
    """What is set already; empty where there is no such file.

    Raises:
        InstallError: it is there and cannot be understood: somebody has to look at it first.
    """
    text = text_at(root, path)
    if text is None:
        return {}
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise InstallError(f"{path}: {' '.join(str(fault).split())}") from None
    if not isinstance(found, dict):
        raise InstallError(f"{path}: a mapping of settings is allowed")
    return found


def put(root: Path, path: Path, settings: Mapping[str, Any]) -> Put:
    """The file with these settings; as it is where it says the same already."""
    text = text_at(root, path)
    if text is not None and existing(root, path) == settings:
        return Put(path, text)
    body = yaml.safe_dump(dict(settings), sort_keys=False, width=99, allow_unicode=True)
    return Put(path, WRITTEN + body)


def broker(
    root: Path, before: Mapping[str, Any], given: str | None, user: str, password: Path
) -> dict[str, Any]:
    """The ``broker`` settings: given, else as before, else this very machine.

    Where the ``password`` or the broker's authority lies in ``/etc/ambicast`` already, it is used.
    """
    known = before.get("broker")
    if given is None and isinstance(known, dict):
        return known
    named = Broker(given or "127.0.0.1")
    certified = text_at(root, AUTHORITY) is not None
    fresh: dict[str, Any] = {"host": named.host}
    fresh["port"] = named.port or (TLS_PORT if certified else PLAIN_PORT)
    if certified:
        fresh["tls"] = {"ca": str(AUTHORITY)}
    if text_at(root, password) is not None:
        fresh |= {"username": user, "password_file": str(password)}
    return (known if isinstance(known, dict) else {}) | fresh


def agent(
    before: Mapping[str, Any], pop: Pop, host: str, allow: list[Any], broker: Mapping[str, Any]
) -> dict[str, Any]:
    """``agent.yaml``: what is known of the host, over what was set before, over suggestions."""
    suggested: dict[str, Any] = {
        "state_dir": str(STATE),
        "socket": "/run/ambicast/agent.sock",
        "watch_key_file": str(KEY),
        "exabgp": {"bridge": "/run/ambicast/exabgp.sock", "hold": "9s"},
        "knot": {"socket": "/run/ambicast/knot.sock", "directory": f"{STATE}/knot"},
    }
    known = {"fleet": str(FLEET), "pop": str(pop.name), "host": host, "broker": dict(broker)}
    rest = {name: value for name, value in before.items() if name not in known}
    return {**known, **suggested, **rest, "allow": allow}


def controller(before: Mapping[str, Any], broker: Mapping[str, Any]) -> dict[str, Any]:
    """``controller.yaml`` likewise."""
    suggested = {"journal": f"{CONTROLLER_STATE}/journal.sqlite"}
    known = {"fleet": str(FLEET), "broker": dict(broker)}
    rest = {name: value for name, value in before.items() if name not in known}
    return {**known, **suggested, **rest}


def watch_key() -> Put:
    """A new key, in hex."""
    return Put(KEY, secrets.token_hex(KEY_BYTES) + "\n", mode=0o600, secret=True)


def fleet_files(source: Path, root: Path) -> tuple[Put, ...]:
    """The fleet file and the client files it names relative to itself, for ``/etc/ambicast``.

    Where ``source`` is the one in ``/etc/ambicast``, they read as they do.

    Raises:
        InstallError: a client file would land outside ``/etc/ambicast``, or cannot be read.
    """
    there = source.resolve() == (root / FLEET.relative_to("/")).resolve()
    found = [Put(FLEET, source.read_text())]
    raw = yaml.safe_load(found[0].text)
    for each in raw.get("clients", {}).get("sources", ()):
        name = Path(str(each.get("file", "")))
        if name.is_absolute() or not name.name:
            continue
        if ".." in name.parts and there:
            continue
        if ".." in name.parts:
            raise InstallError(f"{source}: {name}: a file in or below the fleet file's folder")
        found.append(Put(ETC / name, (source.parent / name).read_text()))
    return tuple(found)


def pop_and_host(fleet: Fleet, pop: str, host: str | None) -> tuple[Pop, str]:
    """The PoP, and its host: the one named, or its only one; raises :class:`InstallError`."""
    names = {str(name): each for name, each in fleet.pops.items()}
    if pop not in names:
        raise InstallError(f"--pop {pop}: the fleet has {', '.join(sorted(names))}")
    hosts = sorted(str(each) for each in names[pop].hosts)
    if host is None and len(hosts) > 1:
        raise InstallError(f"--host: {pop} has {', '.join(hosts)}; say which one this is")
    chosen = host or hosts[0]
    if chosen not in hosts:
        raise InstallError(f"--host {chosen}: {pop} has {', '.join(hosts)}")
    return names[pop], chosen
