"""Bounds as people write them: ``< 1s``, ``<= 450ms``, ``0``, ``< 100``.

Durations become milliseconds, because that is what everything here is measured in.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final

import msgspec

from ambicast.model.quantities import QuantityError, duration, share

OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
}
_SHAPE = re.compile(r"(?P<operator><=|>=|<|>|=)?\s*(?P<value>[^<>=\s].*)")


class Bound(msgspec.Struct, frozen=True):
    """``measured OPERATOR value``; `text` is as it was written."""

    text: str
    operator: str
    value: float

    def holds(self, measured: float | None) -> bool:
        """Whether `measured` is within; what was never measured is not."""
        return measured is not None and OPERATORS[self.operator](measured, self.value)


def time_bound(text: str) -> Bound:
    """A bound on a duration, in milliseconds.

    Raises:
        QuantityError: says what is allowed.
    """
    sign, value = _split(text, "< 1s, <= 450ms or 0s")
    return Bound(text, sign, 0.0 if value == "0" else duration(value) * 1e3)


def count_bound(text: str) -> Bound:
    """A bound on a number of requests.

    Raises:
        QuantityError: says what is allowed.
    """
    sign, value = _split(text, "0, < 100 or <= 3")
    if not value.isdigit():
        message = f"{text!r} is not a bound on a count: write 0, < 100 or <= 3"
        raise QuantityError(message)
    return Bound(text, sign, float(value))


def share_bound(text: str) -> Bound:
    """A bound on a share: ``<= 90%``.

    Raises:
        QuantityError: says what is allowed.
    """
    sign, value = _split(text, "<= 90%")
    return Bound(text, sign, share(value))


def _split(text: str, example: str) -> tuple[str, str]:
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        message = f"{text!r} is not a bound: write {example}"
        raise QuantityError(message)
    return found["operator"] or "=", found["value"].strip()
