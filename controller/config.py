"""The controller's settings file, as frozen values; unknown keys are faults."""

from __future__ import annotations

from pathlib import Path

import msgspec

from controller.choreography.technique import Technique


class ConfigError(Exception):
    """The settings cannot be used: which file, where, what is allowed."""


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the broker is known, and we to it: PEM files, read anew at every connect.

    ``ca`` signs the broker's certificate, which must bear the name or address it is reached by;
    ``cert`` and ``key`` are for brokers that know their clients by certificates.
    """

    ca: str
    cert: str | None = None
    key: str | None = None


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT broker; the password is read from a file, never from the settings.

    Without ``tls`` everything, the password too, travels in the clear: for a tunnel or loopback.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password_file: str | None = None
    tls: Tls | None = None


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the HTTP API listens; loopback unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = 8080


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the controller is told at start.

    ``fleet`` and ``journal`` are paths, relative ones to the settings file. ``techniques`` may be
    narrowed to compare; all three together are the product.
    """

    fleet: str
    broker: Broker
    journal: str
    api: Api = Api()
    techniques: tuple[Technique, ...] = tuple(Technique)


def load_settings(path: Path) -> Settings:
    """The settings in ``path``; raises :class:`ConfigError`."""
    try:
        settings = msgspec.yaml.decode(path.read_bytes(), type=Settings)
    except OSError as fault:
        message = f"{path}: {fault.strerror}"
        raise ConfigError(message) from None
    except msgspec.MsgspecError as fault:
        # YAML's own faults are drawn over several lines.
        message = f"{path}: {' '.join(str(fault).split())}"
        raise ConfigError(message) from None
    tls = settings.broker.tls
    if tls is not None and (tls.cert is None) != (tls.key is None):
        message = f"{path}: broker.tls: cert and key are allowed together, or neither"
        raise ConfigError(message)
    return msgspec.structs.replace(
        settings,
        fleet=str(path.parent / settings.fleet),
        journal=str(path.parent / settings.journal),
    )
