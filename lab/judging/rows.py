"""One line of a verdict, and what the controller reported meanwhile."""

from __future__ import annotations

import msgspec


class Happening(msgspec.Struct, frozen=True):
    """Something the controller reported."""

    t_ns: int
    kind: str
    text: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the verdict; `measured` None: it never came true."""

    text: str
    measured: float | str | None
    bound: str
    ok: bool
    unit: str = "ms"
    why: str = ""
