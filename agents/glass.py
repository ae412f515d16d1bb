"""Builds the break-glass commands of one host and carries one of them out.

They must work on the worst of days. So settings that cannot be used (a fleet file with a fault
has just been pushed everywhere, say) are told and do not stop them: the running agent still has
its last good ones and is asked where it always is, and an ExaBGP that nobody can talk to for want
of its neighbors' names can still be ended.
"""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from agents.bgp.direct import Direct
from agents.brake.commands import Glass, Said, Speaker
from agents.brake.file import BrakeFile
from agents.brake.showing import lines
from agents.config import ConfigError, Places, Settings, load, places
from agents.orders.storage import OrderStorage
from ambicast.model.identifiers import Role

COMMANDS = ("status", "hold", "withdraw", "release")


def carry_out(parsed: Namespace) -> int:
    """One command, as parsed: ``command``, ``config``, ``reason`` and ``json``; the exit code.

    Raises:
        ConfigError: there are no settings at all, or the brake cannot be written.
    """
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the outcome says it all
    glass = _glass(parsed.config)
    now = datetime.now(tz=UTC).timestamp()
    try:
        said = asyncio.run(_said(glass, parsed.command, parsed.reason, now))
    except OSError as fault:
        raise ConfigError(f"{fault.filename or parsed.command}: {fault.strerror}") from None
    if parsed.json:
        sys.stdout.write(msgspec.json.encode(said.status).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(said.status))
    return said.code


async def _said(glass: Glass, command: str, reason: str, now: float) -> Said:
    match command:
        case "hold":
            return await glass.hold(reason, now)
        case "withdraw":
            return await glass.withdraw(reason, now)
        case "release":
            return await glass.release(reason)
        case _:
            return await glass.status()


def _glass(path: Path) -> Glass:
    try:
        settings = load(path)
    except ConfigError as fault:
        if not path.exists():
            raise
        sys.stderr.write(f"ambicast-agent: {fault}\n")
        where = places(path)
        return _built(where, Direct(where.bridge, None, 0))
    return _built(_places_of(settings), _speaker(settings))


def _built(where: Places, speaker: Speaker | None) -> Glass:
    held = OrderStorage(where.state_dir).look()
    file = BrakeFile(where.state_dir)
    return Glass((where.pop, where.host), where.socket, file, held, speaker)


def _places_of(settings: Settings) -> Places:
    return Places(
        pop=settings.pop.name,
        host=settings.host,
        state_dir=settings.state_dir,
        socket=settings.socket,
        bridge=settings.exabgp.bridge,
    )


def _speaker(settings: Settings) -> Direct | None:
    if Role.BGP not in settings.roles:
        return None
    return Direct(settings.exabgp.bridge, settings.pop, settings.fleet.asn)
