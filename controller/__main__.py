"""``ambicast-controller --config FILE``."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ambicast.files import FleetFileError
from controller.config import ConfigError, load_settings
from controller.storage.journal import JournalError
from controller.wiring import run_controller


def run(
    config: Annotated[Path, typer.Option(help="The settings file (YAML).")],
) -> None:
    """Runs the controller until SIGTERM."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        asyncio.run(run_controller(load_settings(config)))
    except (ConfigError, FleetFileError, JournalError) as fault:
        typer.echo(f"ambicast-controller: {fault}", err=True)
        raise typer.Exit(2) from None


def main() -> None:
    """The console script."""
    typer.run(run)


if __name__ == "__main__":
    main()
