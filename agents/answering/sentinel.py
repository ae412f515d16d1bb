"""How a running server proves which client map it has loaded.

Every map lists one prefix that no client can have, and gives it a group with the map's stamp in
its name. Only the configuration written together with that map answers this group. So one ECS
query shows that both files are live, and which ones.
"""

from __future__ import annotations

from agents.answering.generation import parse_stamp, spell_stamp
from ambicast.contract.codec import Stamp

SENTINEL = "255.255.255.255/32"

_PREFIX = "map="


def sentinel_group(stamp: Stamp) -> str:
    """The group of the sentinel prefix in the map with this stamp; no client group's name."""
    return _PREFIX + spell_stamp(stamp)


def parse_sentinel(text: str) -> Stamp | None:
    """The stamp of the live map from the sentinel's TXT answer, or none."""
    text = text.strip('"')
    return parse_stamp(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
