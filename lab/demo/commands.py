"""`lab demo TOPOLOGY [--detach]`, which `./dev up` calls."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.live import Live

from lab.demo.screen import screen
from lab.demo.traffic import Tail
from lab.engines import LabError, RunningLab, up
from lab.load.plan import Plan, Probe
from lab.running.commands import stop_cleanly
from lab.running.loading import LoadProcesses, resolver_of
from lab.scenarios.targets import parse_target
from lab.topology import Options, lab_of
from lab.topology.internet import Client, Internet
from lab.topology.places import NAMES, named
from lab.topology.shapes import RouterChoice

PATIENCE_S = 60.0
LOOK_S = 0.5
ASKED = (
    ("anycast, UDP", "udp", "www.anycast.v4", 20.0),
    ("www.cdn.example, HTTP", "http", "name4:www.cdn.example", 10.0),
)


def add_commands(app: typer.Typer) -> None:
    """Put `demo` beside the lab's other commands."""
    app.command("demo")(demo)


def demo(
    topology: Annotated[str, typer.Argument(help="Which topology.")] = "three-pops",
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running.")] = False,
    router: Annotated[RouterChoice, typer.Option(help="What the transits run.")] = "bird",
    delay: Annotated[str | None, typer.Option(help="One way, between networks.")] = None,
) -> None:
    """Bring the whole system up, with clients asking, and show both layers until Ctrl-C."""
    if topology not in NAMES:
        message = f"no topology {topology!r}; allowed: {', '.join(NAMES)}"
        raise LabError(message)
    stop_cleanly()
    shape = lab_of(topology, Options(router=router, delay=delay))
    console = Console()
    with console.status("bringing the lab up"):
        lab = up(shape, name=topology, engine="netns", keep=detach)
    try:
        with console.status("waiting until every PoP serves"):
            _until_settled(lab)
    except BaseException:
        lab.down()
        raise
    console.print(f"API {lab.api}/api/v1/status   broker {lab.broker[0]}:{lab.broker[1]}")
    console.print(f"logs {lab.directory}/NODE/log")
    console.print(f"operator's command: .venv/bin/ambicast --api {lab.api} status")
    console.print("break something: ./dev lab shell ams")
    if detach:
        console.print("it stays up until ./dev down")
        return
    with lab:
        _watch(lab, named(topology), console)


def _until_settled(lab: RunningLab) -> None:
    deadline = time.monotonic() + PATIENCE_S
    said = "its API does not answer"
    while time.monotonic() < deadline:
        try:
            body = httpx.get(f"{lab.api}/api/v1/status", timeout=1.0).json()
        except (httpx.HTTPError, ValueError):
            time.sleep(LOOK_S)
            continue
        if body["settled"]:
            return
        said = "; ".join(f"{pop['name']}: {pop['because']}" for pop in body["pops"])
        time.sleep(LOOK_S)
    message = f"the lab is up, but not serving within {PATIENCE_S:g} s: {said}"
    raise LabError(message)


def _watch(lab: RunningLab, internet: Internet, console: Console) -> None:
    plans = {client: _plan(client, internet, lab.directory) for client in internet.clients}
    tails = [Tail(client, plan) for client, plan in plans.items()]
    with LoadProcesses(lab, plans) as load, httpx.Client(base_url=lab.api, timeout=2.0) as api:
        load.prepare()
        load.go(time.clock_gettime_ns(time.CLOCK_REALTIME) + 100_000_000)
        try:
            with Live(console=console, refresh_per_second=2) as live:
                while True:
                    traffic = [row for tail in tails for row in tail.read()]
                    bodies = [_get(api, name) for name in ("status", "services", "events")]
                    status, services, events = bodies
                    if None not in bodies:
                        live.update(screen(status, services, events, traffic))
                    time.sleep(LOOK_S)
        except KeyboardInterrupt:
            console.print("going down")


def _get(api: httpx.Client, name: str) -> Any:
    try:
        return api.get(f"/api/v1/{name}").json()
    except (httpx.HTTPError, ValueError):
        return None


def _plan(client: Client, internet: Internet, directory: Path) -> Plan:
    probes = tuple(
        Probe(
            name=name,
            kind=kind,
            target=parse_target(target, internet),
            rate=rate,
            phase=place / len(ASKED),
        )
        for place, (name, kind, target, rate) in enumerate(ASKED)
    )
    records = str(directory / f"{client.name}.records")
    return Plan(probes=probes, resolver=resolver_of(client), records=records)
