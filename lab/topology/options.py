"""What may be chosen about a lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from lab.topology.shapes import BfdChoice, PopPrograms, RouterChoice


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen about a lab; see `building.three_pops` for their meaning."""

    router: RouterChoice = "bird"
    hold_s: int = 9
    bfd: BfdChoice = "off"
    delay: str | None = None
    advertisement_interval_s: int = 0
    fleet_overrides: Mapping[str, object] = {}
    techniques: Sequence[str] | None = None
    pop_programs: PopPrograms = "ambicast"
