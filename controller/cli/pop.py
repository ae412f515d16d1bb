"""``ambicast pop show|drain|undrain``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from controller.cli import asking, tables
from controller.cli.output import Output

app = typer.Typer(no_args_is_help=True, help="One PoP: show, drain, undrain.")
Name = Annotated[str, typer.Argument(help="The PoP's name.")]
Reason = Annotated[str, typer.Option(help="Why; shown wherever the effect is.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the plan until it has settled.")]
LOOK_S = 0.5


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show one PoP in full: uplinks, checks, routes, failover, plan."""
    output: Output = context.obj
    body = asking.get(output.api, f"pops/{name}")
    output.body(body, tables.pop)


@app.command()
def drain(context: typer.Context, name: Name, reason: Reason, *, wait: Wait = False) -> None:
    """Move all load away from a PoP, then withdraw it."""
    _ask(context.obj, name, "drain", reason, "drained", wait=wait)


@app.command()
def undrain(context: typer.Context, name: Name, reason: Reason, *, wait: Wait = False) -> None:
    """Bring a drained PoP back."""
    _ask(context.obj, name, "undrain", reason, "home", wait=wait)


def _ask(output: Output, name: str, verb: str, reason: str, phase: str, *, wait: bool) -> None:
    accepted = asking.post(output.api, f"pops/{name}/{verb}", {"reason": reason})
    if not wait:
        output.body(
            accepted, lambda body: f"{body['asked']} of {body['pop']} begins: ambicast plan"
        )
        return
    said: tuple[str, str, int] | None = None
    while True:
        body = asking.get(output.api, f"pops/{name}")
        if body["row"]["phase"] == phase:
            output.body(body, lambda each: f"{each['row']['name']} is {phase}")
            return
        for step in body["plan"]["steps"] if body["plan"] else ():
            now = (step["name"], step["state"], round(step["remaining"]) // 10)
            if step["state"] in {"sent", "overdue"} and now != said:
                said = now
                output.say(f"{step['text']} ({step['remaining']:.0f} s) {step['note']}".rstrip())
        time.sleep(LOOK_S)
