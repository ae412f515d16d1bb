"""``ambicast install agent|controller`` and ``ambicast uninstall agent|controller``."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ambicast.files import FleetFileError
from controller.cli.asking import DIFFERS, AskingError
from controller.cli.installing import plans, settings, system, units
from controller.cli.installing.changes import (
    Change,
    InstallError,
    Run,
    carry_out,
    inside,
    really,
    shown,
)

install = typer.Typer(no_args_is_help=True, help="Bring a host's files and units into place.")
uninstall = typer.Typer(no_args_is_help=True, help="Take them away again.")
SYSTEMD = Path("/run/systemd/system")
LOOK_S = 15.0

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show every file's diff and every command; do nothing.")
]
Root = Annotated[Path, typer.Option(help="An image's folder instead of this machine.")]
FleetFile = Annotated[Path | None, typer.Option(help="The fleet file.")]
BrokerAt = Annotated[
    str | None, typer.Option(envvar="AMBICAST_BROKER", help="The MQTT broker: HOST[:PORT].")
]
Programs = Annotated[Path | None, typer.Option(help="The folder of ambicast-agent and others.")]
Yes = Annotated[bool, typer.Option("--yes", help="It is drained, or may as well be lost.")]


@install.command("agent")
def install_agent(
    pop: Annotated[str, typer.Option(help="Which PoP this host belongs to.")],
    host: Annotated[str | None, typer.Option(help="Its name; where the PoP has several.")] = None,
    fleet: FleetFile = None,
    broker: BrokerAt = None,
    root: Root = system.LIVE,
    programs: Programs = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Make this machine the host of a PoP: settings, watch key, units; twice is once."""
    with _Clear():
        file = fleet or inside(root, settings.FLEET)
        folder = units.programs(programs)
        change = plans.install_agent(root, pop, host, file, broker, folder)
        _apply_usable(root, change, folder, dry_run=dry_run)


@install.command("controller")
def install_controller(
    fleet: FleetFile = None,
    broker: BrokerAt = None,
    root: Root = system.LIVE,
    programs: Programs = None,
    *,
    dry_run: DryRun = False,
) -> None:
    """Make this machine run the controller."""
    with _Clear():
        file = fleet or inside(root, settings.FLEET)
        folder = units.programs(programs)
        change = plans.install_controller(root, file, broker, folder)
        _apply_usable(root, change, folder, dry_run=dry_run)


@uninstall.command("agent")
def uninstall_agent(
    root: Root = system.LIVE,
    programs: Programs = None,
    settle: Annotated[float, typer.Option(help="Seconds from withdrawing to stopping.")] = 5.0,
    *,
    purge: Annotated[bool, typer.Option("--purge", help="Settings and memory too.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Withdraw everything, stop everything, take the files away; the PoP is drained before."""
    with _Clear():
        folder = units.programs(programs)
        change = plans.uninstall_agent(root, folder, settle, purge=purge)
        if root == system.LIVE and not yes and not dry_run:
            refuse_undrained(folder)
        _apply(root, change, dry_run=dry_run)


@uninstall.command("controller")
def uninstall_controller(root: Root = system.LIVE, *, dry_run: DryRun = False) -> None:
    """Stop the controller; every advertisement and answer stays."""
    with _Clear():
        _apply(root, plans.uninstall_controller(root), dry_run=dry_run)


def refuse_undrained(programs: Path) -> None:
    """Refuses as long as anything may still lead here.

    Raises:
        AskingError: what is still advertised, or that nobody knows.
    """
    command = [str(programs / "ambicast-agent"), "status", "--json"]
    try:
        said = subprocess.run(command, capture_output=True, check=False, timeout=LOOK_S).stdout
        status = json.loads(said)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        status = {}
    drained = "drain it first (ambicast pop drain), or say --yes"
    if status.get("wire") is None:
        raise AskingError(f"nobody can tell what this host advertises: {drained}", DIFFERS)
    if status["wire"]:
        prefixes = len({each["prefix"] for each in status["wire"]})
        pop = status.get("pop", "this PoP")
        raise AskingError(f"{pop} still advertises {prefixes} prefixes: {drained}", DIFFERS)


def _apply_usable(root: Path, change: Change, folder: Path, *, dry_run: bool) -> None:
    """Applies it where the units could start what is in ``folder``; an image may differ."""
    why = units.hindrance(folder)
    if why and root == system.LIVE and not dry_run:
        raise InstallError(why)
    notes = (*change.notes, why) if why and root == system.LIVE else change.notes
    _apply(root, msgspec.structs.replace(change, notes=notes), dry_run=dry_run)


def _apply(root: Path, change: Change, *, dry_run: bool, run: Run = really) -> None:
    if dry_run:
        for line in shown(root, change):
            typer.echo(line)
        return
    if root == system.LIVE:
        _require_systemd()
    for line in carry_out(root, change, run):
        typer.echo(line)


def _require_systemd() -> None:
    if not SYSTEMD.is_dir():
        raise InstallError("systemd does not run here: --root DIR fills an image, --dry-run shows")
    if os.geteuid() != 0:
        raise InstallError("only root may: sudo ambicast ..., or --dry-run to look")


class _Clear:
    """Every fault is one line, and exit code 2."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, InstallError | FleetFileError):
            raise AskingError(str(fault)) from None
        if isinstance(fault, OSError) and fault.filename:
            raise AskingError(f"{fault.filename}: {fault.strerror}") from None
