"""Which steering and which map a zone holds, written into the zone itself.

The text stands in a TXT record that changes in the same transaction as the answers, so it outlives
restarts of agent and server and fences older messages (I12).
"""

from __future__ import annotations

import re

import msgspec

from ambicast.contract.codec import Stamp

_STAMP = re.compile(r"(\d{1,18})\.(\d{1,18})")
_TEXT = re.compile(rf"steering=({_STAMP.pattern}) map=({_STAMP.pattern})")


class Generation(msgspec.Struct, frozen=True):
    """The stamps of the newest steering and map; 0.0 is what a fresh server starts with."""

    steering: Stamp = Stamp()
    map: Stamp = Stamp()


def spell_stamp(stamp: Stamp) -> str:
    """``epoch.generation``."""
    return f"{stamp.epoch}.{stamp.generation}"


def parse_stamp(text: str) -> Stamp | None:
    """The stamp in ``text``, or none."""
    found = _STAMP.fullmatch(text)
    return Stamp(int(found[1]), int(found[2])) if found else None


def spell(generation: Generation) -> str:
    """``steering=7.41 map=7.2``."""
    steering, live = spell_stamp(generation.steering), spell_stamp(generation.map)
    return f"steering={steering} map={live}"


def parse(text: str) -> Generation | None:
    """The generation in a TXT record (quoted or not), or none where it is something else."""
    found = _TEXT.fullmatch(text.strip('"'))
    if found is None:
        return None
    return Generation(
        Stamp(int(found[2]), int(found[3])),
        Stamp(int(found[5]), int(found[6])),
    )
