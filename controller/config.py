"""The controller's settings file, as frozen values; unknown keys are faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ambicast.broker.settings import Broker
from controller.choreography.technique import Technique


class ConfigError(Exception):
    """The settings cannot be used: which file, where, what is allowed."""


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the HTTP API listens; loopback unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = 8080


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the controller is told at start.

    All paths are absolute, or relative to the settings file. ``techniques`` may be
    narrowed to compare; all three together are the product.
    """

    fleet: str
    broker: Broker
    journal: str
    api: Api = Api()
    techniques: tuple[Technique, ...] = tuple(Technique)


def load_settings(path: Path) -> Settings:
    """The settings in ``path``; raises :class:`ConfigError`."""

    def beside(kind: type, found: Any) -> Path:
        if kind is not Path or not isinstance(found, str):
            raise ValueError(f"{found!r}; a path is allowed")
        return path.parent / found

    try:
        settings = msgspec.yaml.decode(path.read_bytes(), type=Settings, dec_hook=beside)
    except OSError as fault:
        message = f"{path}: {fault.strerror}"
        raise ConfigError(message) from None
    except msgspec.MsgspecError as fault:
        # YAML's own faults are drawn over several lines.
        message = f"{path}: {' '.join(str(fault).split())}"
        raise ConfigError(message) from None
    if wrong := settings.broker.fault():
        message = f"{path}: {wrong}"
        raise ConfigError(message)
    return msgspec.structs.replace(
        settings,
        fleet=str(path.parent / settings.fleet),
        journal=str(path.parent / settings.journal),
    )
