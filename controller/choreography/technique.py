"""What may be done at a loss; all three are the product, fewer are for comparison."""

from __future__ import annotations

from enum import StrEnum


class Technique(StrEnum):
    """What may be done at a loss. All three by default; fewer for comparison."""

    HALVES = "halves"
    SAME_LENGTH = "same-length"
    DNS = "dns"


EVERYTHING = frozenset(Technique)
