"""``ambicast``: what the operator types. Exit 0 ok, 1 differs or refused, 2 error."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live

from ambicast.contract.access import AccessError, access_list
from ambicast.files import FleetFileError, Severity, load_fleet, schema, validate
from controller.cli import asking, pop, tables
from controller.cli.installing import commands as installing
from controller.cli.output import Output

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(pop.app, name="pop")
app.add_typer(installing.install, name="install")
app.add_typer(installing.uninstall, name="uninstall")
service_app = typer.Typer(no_args_is_help=True, help="One service.")
app.add_typer(service_app, name="service")
LOOK_S = 1.0


@app.callback()
def options(
    context: typer.Context,
    api: Annotated[
        str, typer.Option(envvar="AMBICAST_API", help="Where the controller's API is.")
    ] = "http://127.0.0.1:8080",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's own body.")] = False,
) -> None:
    """Options that hold for every command."""
    context.obj = Output(api.rstrip("/"), as_json)


@app.command()
def status(
    context: typer.Context,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,
) -> None:
    """The fleet on one screen."""
    output: Output = context.obj
    if not watch:
        output.body(asking.get(output.api, "status"), tables.status)
        return
    with Live(refresh_per_second=2) as live:
        while True:
            live.update(tables.status(asking.get(output.api, "status")))
            time.sleep(LOOK_S)


@app.command("pops")
def list_pops(context: typer.Context) -> None:
    """Every PoP in a line."""
    output: Output = context.obj
    output.body(asking.get(output.api, "pops"), tables.pops)


@app.command("services")
def list_services(context: typer.Context) -> None:
    """Every service, both layers side by side."""
    output: Output = context.obj
    output.body(
        asking.get(output.api, "services"), lambda rows: Group(*(tables.service(r) for r in rows))
    )


@service_app.command("show")
def show_service(context: typer.Context, name: str) -> None:
    """One service: what DNS answers, what BGP advertises."""
    output: Output = context.obj
    output.body(asking.get(output.api, f"services/{name}"), tables.service)


@app.command()
def plan(
    context: typer.Context,
    *,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only what has not settled; exit 1 if anything.")
    ] = False,
) -> None:
    """Every PoP's latest plan, step by step."""
    output: Output = context.obj
    rows = asking.get(output.api, "plan")
    if diff:
        rows = [row for row in rows if not row["settled"]]
    output.body(rows, _plans)
    if diff and rows:
        raise typer.Exit(asking.DIFFERS)


@app.command()
def events(
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Until Ctrl-C.")] = False,
    since: Annotated[float, typer.Option(help="Seconds since the Unix epoch.")] = 0.0,
) -> None:
    """What happened."""
    output: Output = context.obj
    while True:
        rows = asking.get(output.api, "events", since=since)
        for row in rows:
            print(json.dumps(row) if output.as_json else tables.event(row), flush=True)  # noqa: T201
            since = max(since, row["at"])
        if not follow:
            return
        time.sleep(LOOK_S)


@app.command("validate")
def validate_file(file: Annotated[Path, typer.Argument(help="A fleet file.")]) -> None:
    """Name every fault of a fleet file: file, line, path, what was found, what is allowed."""
    faults = validate(file)
    for fault in faults:
        print(fault)  # noqa: T201
    if any(fault.severity is Severity.ERROR for fault in faults):
        raise typer.Exit(asking.DIFFERS)


@app.command("broker-acl")
def print_access_list(file: Annotated[Path, typer.Argument(help="A fleet file.")]) -> None:
    """Mosquitto's acl_file for a fleet: one user per host, each may say only what is its own."""
    try:
        print(access_list(load_fleet(file)), end="")  # noqa: T201
    except (FleetFileError, AccessError) as fault:
        raise asking.AskingError(str(fault)) from None


@app.command("schema")
def print_schema() -> None:
    """The fleet file's JSON Schema."""
    print(json.dumps(schema(), indent=2))  # noqa: T201


def options_first(arguments: list[str]) -> list[str]:
    """``ambicast status --json`` means ``ambicast --json status``: these hold everywhere."""
    first, rest = [], []
    words = iter(arguments)
    for word in words:
        if word == "--api":
            first += [word, *[value for value in [next(words, None)] if value is not None]]
        elif word == "--json" or word.startswith("--api="):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


def _plans(rows: list[tables.Body]) -> RenderableType:
    return Group(*(tables.plan(row) for row in rows)) if rows else "nothing is planned"


def main() -> None:
    """The console script."""
    try:
        app(args=options_first(sys.argv[1:]))
    except asking.AskingError as fault:
        Console(stderr=True, soft_wrap=True).print(f"ambicast: {fault}", markup=False)
        sys.exit(fault.code)
    except KeyboardInterrupt:
        sys.exit(asking.OK)


if __name__ == "__main__":
    main()
