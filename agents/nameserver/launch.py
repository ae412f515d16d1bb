"""Starts Knot in the foreground, with its last answers where it has some.

What was steered lives in Knot's journal and in the ``map`` folder, and both survive a crash. They
are thrown away in two cases only: the fleet file changed what the zone starts from (the journal is
a list of changes to exactly that zone), or Knot itself finds its files unfit. Then it starts from
the anycast answers, which are right for everybody, and steering follows within a second.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import structlog

from agents.answering.records import names_of
from agents.nameserver.configuration import render_knot, render_zone
from agents.nameserver.maps import draw, files
from agents.nameserver.places import Places, install_map, write
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap
from ambicast.model.fleet import Fleet, Nameserver

log = structlog.get_logger()

DNS_PORT = 53


class LaunchError(Exception):
    """Knot cannot be started; the text has its own words."""


def run_knot(
    fleet: Fleet,
    nameserver: Nameserver,
    *,
    socket: Path,
    directory: Path,
    port: int = DNS_PORT,
) -> NoReturn:
    """Replaces this process by knotd in the foreground, serving at all of the addresses.

    Raises:
        LaunchError: knotd is not installed, or rejects even the initial files.
    """
    knotd = shutil.which("knotd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if knotd is None:
        raise LaunchError("knotd is not installed: the packages are knot and knot-module-geoip")
    places = Places(directory.absolute(), socket.absolute())
    prepare(fleet, nameserver, places, port)
    log.info("starting knot", addresses=nameserver.addresses, directory=str(places.directory))
    os.execv(knotd, [knotd, "-c", str(places.configuration)])  # noqa: S606 - no shell is wanted


def prepare(fleet: Fleet, nameserver: Nameserver, places: Places, port: int = DNS_PORT) -> None:
    """Writes what Knot needs and does not have, and checks it; raises :class:`LaunchError`."""
    for folder in (places.directory, places.database, places.maps, places.socket.parent):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = render_knot(fleet, places, nameserver.addresses, port)
    write(places.configuration, configuration.encode())
    zone = render_zone(fleet).encode()
    if not places.zone.exists() or places.zone.read_bytes() != zone:
        _start_anew(fleet, places, zone)
    fault = _fault(places)
    if fault:
        log.warning("knot rejects its last files", fault=fault)
        _start_anew(fleet, places, zone)
        fault = _fault(places)
    if fault:
        raise LaunchError(f"knot rejects {places.configuration}: {fault}")


def _start_anew(fleet: Fleet, places: Places, zone: bytes) -> None:
    """The zone file last: while it is missing or old, the next start cleans up again."""
    places.zone.unlink(missing_ok=True)
    shutil.rmtree(places.database)
    places.database.mkdir()
    empty = ClientMap(zone=fleet.zone, names=names_of(fleet), groups={})
    install_map(places, Stamp(), *files(draw(empty, Stamp())))
    write(places.zone, zone)


def _fault(places: Places) -> str | None:
    """Why Knot would not load its configuration or map, or none."""
    checked = subprocess.run(
        ["knotc", "-c", str(places.configuration), "conf-check"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"},
    )
    if checked.returncode == 0:
        return None
    return " ".join((checked.stdout + checked.stderr).split())
