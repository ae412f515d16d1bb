"""`lab up|down|graph|status|exec|shell`: the lab alone, without scenarios.

Labs stay up after `up` until `down`. Every fault is one line on standard error and exit code 2.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.engines import LabError, RunningLab, attach, up
from lab.engines.bringing import Engine, down_all
from lab.engines.netns import take_away
from lab.engines.state import known
from lab.engines.status import status as describe
from lab.topology import Options, Topology, lab_of, pops
from lab.topology.places import NAMES
from lab.topology.shapes import BfdChoice, RouterChoice

ERROR = 2
HELP = "The lab: real kernels, BGP, DNS and MQTT on this machine."
DEFAULT_NAME = "three-pops"

app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP)
Name = Annotated[str, typer.Option(help="Which lab, where several are up.")]
Which = Annotated[str, typer.Argument(help="three-pops, two-hosts or ten-pops.")]
Count = Annotated[int | None, typer.Option("--pops", help="So many PoPs instead: 3 to 60.")]


def _chosen(topology: str, count: int | None, options: Options) -> Topology:
    """The topology of that name, or with that many PoPs."""
    if count is not None:
        return pops(count, options)
    if topology not in NAMES:
        message = f"no topology {topology!r}; allowed: {', '.join(NAMES)}, or --pops N"
        raise LabError(message)
    return lab_of(topology, options)


@app.command("up")
def bring_up(
    topology: Which = DEFAULT_NAME,
    router: Annotated[RouterChoice, typer.Option(help="What the transits run.")] = "bird",
    count: Count = None,
    engine: Annotated[Engine, typer.Option(help="Namespaces or containerlab.")] = "netns",
    delay: Annotated[str | None, typer.Option(help="One way, between networks: 20ms.")] = None,
    hold: Annotated[int, typer.Option(help="BGP hold time, seconds.")] = 9,
    bfd: Annotated[BfdChoice, typer.Option(help="Between PoPs and transits.")] = "off",
    name: Name = DEFAULT_NAME,
    directory: Annotated[Path | None, typer.Option(help="For files and logs.")] = None,
) -> None:
    """Bring a lab up; it stays up until `down`."""
    options = Options(router=router, delay=delay, hold_s=hold, bfd=bfd)
    chosen = _chosen(topology, count, options)
    lab = up(chosen, name=name, engine=engine, directory=directory, keep=True)
    typer.echo(f"lab {name} is up: API {lab.api}, broker {lab.broker[0]}:{lab.broker[1]}")
    typer.echo(f"files and logs: {lab.directory}")


@app.command()
def down(
    name: Name = DEFAULT_NAME,
    every: Annotated[bool, typer.Option("--all", help="Every lab of this machine.")] = False,
) -> None:
    """Take a lab down; nothing happens where none is up."""
    gone = down_all() if every else _down(name)
    typer.echo(f"down: {', '.join(gone) or 'nothing was up'}")


@app.command()
def status(
    name: Name = DEFAULT_NAME,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which nodes and programs run."""
    lab = attach(name)
    if as_json:
        typer.echo(json.dumps(describe(lab), indent=2))
        return
    for node in lab.topology.nodes:
        on = lab.is_on(node.name)
        programs = [
            p.name if on and lab.program_pid(node.name, p.name) else f"{p.name} (down)"
            for p in node.programs
        ]
        power = f"pid {lab.pid(node.name)}" if on else "off"
        typer.echo(f"{node.name:5} {node.role:10} {power:12} {', '.join(programs)}")
    typer.echo(f"API {lab.api}, broker {lab.broker[0]}:{lab.broker[1]}, files {lab.directory}")


@app.command()
def graph(
    topology: Which = DEFAULT_NAME,
    count: Count = None,
    delay: Annotated[str | None, typer.Option(help="As for `up`.")] = None,
) -> None:
    """Print the topology as a Mermaid graph."""
    typer.echo(mermaid(_chosen(topology, count, Options(delay=delay))))


@app.command("exec", context_settings={"ignore_unknown_options": True})
def execute(node: str, argv: list[str], name: Name = DEFAULT_NAME) -> None:
    """Run a command inside a node: `lab exec NODE -- CMD...`."""
    _become(attach(name), node, argv)


@app.command()
def shell(node: str, name: Name = DEFAULT_NAME) -> None:
    """Open a shell inside a node."""
    _become(attach(name), node, [os.environ.get("SHELL", "/bin/sh")])


def mermaid(topology: Topology) -> str:
    """Nodes grouped by role, links with their interfaces and delays."""
    lines = ["graph TD"]
    for role in ("transit", "pop", "client", "controller"):
        lines.append(f"  subgraph {role}s")
        for node in topology.nodes:
            if node.role == role:
                asn = f"<br/>AS{node.asn}" if node.asn is not None else ""
                lines.append(f'    {node.name}["{node.name}{asn}"]')
        lines.append("  end")
    for link in topology.links:
        text = f"{link.a.interface} to {link.b.interface}"
        text += f", {link.delay}" if link.delay else ""
        lines.append(f'  {link.a.node} ---|"{text}"| {link.b.node}')
    return "\n".join(lines)


def run(arguments: list[str]) -> int:
    """Run one of the commands above; returns the exit code."""
    try:
        code = app(args=arguments, prog_name="lab", standalone_mode=False)
    except (LabError, KeyError, ValueError) as fault:
        text = fault.args[0] if fault.args else fault
        sys.stderr.write(f"lab: {text}\n")
        return ERROR
    except typer.Exit as end:
        return end.exit_code
    except Exception as fault:
        show = getattr(fault, "show", None)
        if show is None:
            raise
        show()
        return ERROR
    return code if isinstance(code, int) else 0


def _down(name: str) -> list[str]:
    if name in known():
        attach(name).down()
        return [name]
    take_away(name, None)
    return []


def _become(lab: RunningLab, node: str, argv: list[str]) -> None:
    command = lab.command(node, argv)
    os.execvpe(command[0], command, lab.environment())  # noqa: S606 - what was asked for
