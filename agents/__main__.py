"""The agent's command line; see ``--help``. Exit 0 ok, 1 refused or differs, 2 error.

Imports are late on purpose: a host is not looked after until the agent runs, and ExaBGP's and
Knot's starters need none of what the agent needs. The responder needs next to nothing: watchers
must not notice its restart.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.config import Settings

COMMANDS = {
    "run": "look after this host (the default)",
    "exabgp": "become the ExaBGP of this host",
    "farewell": "withdraw everything, before this host's ExaBGP is stopped",
    "bfdd": "become the bfdd (FRR) of this host",
    "nameserver": "become the Knot DNS of this host",
    "responder": "answer the probes of other PoPs, whatever becomes of the agent",
    "status": "what this host does, with or without a running agent",
    "hold": "what is on the wire stays, whatever is ordered, until released",
    "withdraw": "advertise nothing, until released",
    "release": "the order rules again",
}
BREAK_GLASS = ("status", "hold", "withdraw", "release")
SETTINGS = Path("/etc/ambicast/agent.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; 2 means that the settings, or something on the host, are not usable."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.command in BREAK_GLASS[1:] and not parsed.reason:
        parser.error(f"{parsed.command}: --reason says why, to everybody who finds it so")
    if parsed.command == "responder":
        return _become_responder(parsed.config)
    if parsed.command in BREAK_GLASS:
        return _break_glass(parsed)
    return _with_settings(parsed)


def _become_responder(path: Path) -> int:
    from agents.watch.guardian import serve  # noqa: PLC0415

    try:
        serve(path)
    except ValueError as fault:
        return _refuse(fault)


def _break_glass(parsed: argparse.Namespace) -> int:
    from agents.config import ConfigError  # noqa: PLC0415
    from agents.glass import carry_out  # noqa: PLC0415

    try:
        return carry_out(parsed)
    except ConfigError as fault:
        return _refuse(fault)


def _with_settings(parsed: argparse.Namespace) -> int:
    from agents.config import ConfigError, load  # noqa: PLC0415

    try:
        settings = load(parsed.config)
        match parsed.command:
            case "exabgp":
                _become_exabgp(settings)
            case "bfdd":
                _become_bfdd(settings)
            case "farewell":
                _say_farewell(settings)
            case "nameserver":
                _become_nameserver(settings)
            case _:
                _run(settings, parsed.config)
    except (ConfigError, ValueError) as fault:
        return _refuse(fault)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ambicast-agent", description="Looks after one PoP host."
    )
    what = "; ".join(f"{name}: {text}" for name, text in COMMANDS.items())
    parser.add_argument("command", nargs="?", default="run", choices=tuple(COMMANDS), help=what)
    parser.add_argument("--config", type=Path, default=SETTINGS, metavar="FILE", help="agent.yaml")
    parser.add_argument("--reason", metavar="TEXT", help="why; for hold, withdraw and release")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def _refuse(fault: Exception) -> int:
    sys.stderr.write(f"ambicast-agent: {fault}\n")
    return 2


def _run(settings: Settings, path: Path) -> None:
    import asyncio  # noqa: PLC0415
    import faulthandler  # noqa: PLC0415

    from agents.wiring import serve  # noqa: PLC0415

    faulthandler.enable()  # what the watchdog ends says where it stood
    _log_to_stderr(settings)
    asyncio.run(serve(settings, path))


def _become_exabgp(settings: Settings) -> None:
    from agents.bgp import bridge  # noqa: PLC0415
    from agents.bgp.configuration import Speaker, default_router_id, provider_asns  # noqa: PLC0415
    from agents.bgp.launch import LaunchError, run_exabgp  # noqa: PLC0415
    from agents.config import ConfigError  # noqa: PLC0415

    own = settings.exabgp
    speaker = Speaker(
        pop=settings.pop,
        asn=settings.fleet.asn,
        provider_asn=provider_asns(settings.fleet, settings.pop.name),
        router_id=own.router_id or default_router_id(settings.pop),
        bridge=str(own.bridge),
        python=sys.executable,
        script=str(Path(bridge.__file__).resolve()),
        hold=own.hold_seconds,
        graceful=own.graceful_seconds,
        responder=str(settings.responder),
    )
    try:
        run_exabgp(speaker, own.bridge.parent)
    except LaunchError as fault:
        raise ConfigError(str(fault)) from None


def _become_bfdd(settings: Settings) -> None:
    from agents.bfd.launch import LaunchError, run_bfdd  # noqa: PLC0415
    from agents.config import ConfigError  # noqa: PLC0415

    if settings.bfd is None:
        raise ConfigError("bfd: not in the settings; `bfd: {}` turns it on")
    try:
        run_bfdd(settings.bfd.socket)
    except LaunchError as fault:
        raise ConfigError(str(fault)) from None


def _say_farewell(settings: Settings) -> None:
    import asyncio  # noqa: PLC0415

    from agents.bgp.farewell import say_farewell  # noqa: PLC0415

    _log_to_stderr(settings)
    own = settings.exabgp
    if own.graceful_seconds:  # without it, the end of a session withdraws everything by itself
        asyncio.run(say_farewell(own.bridge, settings.pop, settings.fleet.asn))


def _become_nameserver(settings: Settings) -> None:
    from agents.config import ConfigError  # noqa: PLC0415
    from agents.nameserver.launch import LaunchError, run_knot  # noqa: PLC0415

    if settings.nameserver is None:
        raise ConfigError(f"host {settings.host}: no role dns in the fleet file")
    nameserver = settings.fleet.nameservers[settings.nameserver]
    own = settings.knot
    try:
        run_knot(settings.fleet, nameserver, socket=own.socket, directory=own.directory)
    except LaunchError as fault:
        raise ConfigError(str(fault)) from None


def _log_to_stderr(settings: Settings) -> None:
    """One JSON object per line, for our own words and for what libraries have to say."""
    import logging  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    class Libraries(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said = structlog.get_logger()
            said.warning("library", library=record.name, text=record.getMessage())

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(pop=settings.pop.name, host=settings.host)
    logging.basicConfig(level=logging.WARNING, handlers=[Libraries()])


if __name__ == "__main__":
    raise SystemExit(main())
