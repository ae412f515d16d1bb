"""What `lab status --json` says of a running lab."""

from __future__ import annotations

from ambicast.contract.access import VIEWER
from lab.engines.running import RunningLab
from lab.nodes.broker import AUTHORITY_FILE, VIEWER_FILE


def status(lab: RunningLab) -> dict[str, object]:
    """`{name, engine, delay, directory, nodes: {NAME: {...}}, links, api, broker, viewer}`.

    `viewer` is who may listen on the broker: user, password file, and the authority that signed
    the broker's certificate.
    """
    host, port = lab.broker
    links: list[dict[str, str]] = []
    for link in lab.topology.links:
        ends = {
            "a": f"{link.a.node}:{link.a.interface}",
            "b": f"{link.b.node}:{link.b.interface}",
        }
        links.append(ends | ({"delay": link.delay} if link.delay else {}))
    return {
        "name": lab.name,
        "engine": lab.engine,
        "delay": lab.delay,
        "directory": str(lab.directory),
        "nodes": nodes(lab),
        "links": links,
        "api": lab.api,
        "broker": f"{host}:{port}",
        "viewer": _viewer(lab),
    }


def nodes(lab: RunningLab) -> dict[str, dict[str, object]]:
    """Every node: `{role, pid, asn, addresses, programs: {NAME: pid}}`; pids None while off."""
    found: dict[str, dict[str, object]] = {}
    for node in lab.topology.nodes:
        on = lab.is_on(node.name)
        pids = [lab.program_pid(node.name, p.name) if on else None for p in node.programs]
        found[node.name] = {
            "role": node.role,
            "pid": lab.pid(node.name) if on else None,
            "asn": node.asn,
            "addresses": [address.address for address in node.addresses],
            "programs": {p.name: pid for p, pid in zip(node.programs, pids, strict=True)},
        }
    return found


def _viewer(lab: RunningLab) -> dict[str, str]:
    home = lab.directory / "ctl1"
    return {
        "username": VIEWER,
        "password_file": str(home / VIEWER_FILE.rpartition("/")[2]),
        "ca": str(home / AUTHORITY_FILE.rpartition("/")[2]),
    }
