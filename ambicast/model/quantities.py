"""Quantities as people write them (``20s``, ``400Gbit/s``, ``90%``) and as code carries them.

Durations become seconds, rates bits per second, shares numbers from 0 to 1, all as ``float``.
A number without a unit is refused: a bare ``30`` has already meant milliseconds to somebody.
"""

from __future__ import annotations

import re

_DURATION = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = {"bit/s": 1.0, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9, "Tbit/s": 1e12}
_SHAPE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z/%]+)")


class QuantityError(ValueError):
    """The text is not a quantity of the wanted kind; the message says what is allowed."""


def _parse(text: str, units: dict[str, float], kind: str) -> float:
    found = _SHAPE.fullmatch(text.strip())
    if found is None or found["unit"] not in units:
        allowed = ", ".join(units)
        message = f"{text!r} is not a {kind}: a number and one of {allowed}"
        raise QuantityError(message)
    return float(found["number"]) * units[found["unit"]]


def duration(text: str) -> float:
    """Seconds from ``"20s"``, ``"100ms"``, ``"2m"``, ``"1h"`` or ``"1d"``."""
    return _parse(text, _DURATION, "duration")


def rate(text: str) -> float:
    """Bits per second from ``"400Gbit/s"`` and the like (decimal multiples)."""
    return _parse(text, _RATE, "rate")


def share(text: str) -> float:
    """A share between 0 and 1 from ``"30%"``."""
    value = _parse(text, {"%": 0.01}, "share")
    if value > 1.0:
        message = f"{text!r} is not a share: 0% to 100%"
        raise QuantityError(message)
    return value
