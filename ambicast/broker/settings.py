"""The ``broker`` part of both programs' settings files; unknown keys are faults."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the broker is known, and we to it: PEM files, read anew at every connect.

    ``ca`` signs the broker's certificate, which must bear the name or address it is reached by;
    ``cert`` and ``key`` are for brokers that know their clients by certificates.
    """

    ca: Path
    cert: Path | None = None
    key: Path | None = None


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MQTT broker; its address lies outside every steered prefix (I14).

    Without ``tls`` everything, the password too, travels in the clear: for a tunnel or loopback.
    The password is in a file of its own, never in the settings.
    """

    host: str
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    tls: Tls | None = None

    def password(self) -> str | None:
        """The password, read anew at every connect so that it can be changed."""
        return self.password_file.read_text().strip() if self.password_file else None

    def fault(self) -> str | None:
        """What is wrong with it beyond the types: where, and what is allowed."""
        if self.tls is not None and (self.tls.cert is None) != (self.tls.key is None):
            return "broker.tls: cert and key are allowed together, or neither"
        return None
