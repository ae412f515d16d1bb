"""Client groups: clients that ask and route alike."""

from __future__ import annotations

import msgspec

from ambicast.model.identifiers import GroupName


class ClientGroup(msgspec.Struct, frozen=True):
    """Prefixes (of clients or their resolvers, as ECS shows them) that are steered as one.

    ``demand`` is relative: only shares of the whole matter until loads are measured.
    """

    name: GroupName
    prefixes: tuple[str, ...]
    lat: float
    lon: float
    demand: float = 1.0
