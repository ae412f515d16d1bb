"""A client map made ready for the server: tree, files, and what to expect of it."""

from __future__ import annotations

from agents.answering.proofs import Atlas
from agents.answering.sentinel import SENTINEL, sentinel_group
from agents.answering.tree import grow
from agents.nameserver.configuration import render_geo
from agents.nameserver.mmdb import render
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import ClientMap
from ambicast.model.identifiers import EVERYONE_ELSE


def draw(client_map: ClientMap, stamp: Stamp) -> Atlas:
    """The map with its tree; the sentinel prefix is in it."""
    groups = {
        prefix: group for group, prefixes in client_map.groups.items() for prefix in prefixes
    }
    return Atlas(
        stamp, client_map, grow({**groups, SENTINEL: sentinel_group(stamp)}, EVERYONE_ELSE)
    )


def files(atlas: Atlas) -> tuple[str, bytes]:
    """``geo.conf`` and ``map.mmdb`` of one map."""
    groups = {*atlas.map.groups, EVERYONE_ELSE}
    geo = render_geo(atlas.map.zone, atlas.map.names, groups, atlas.stamp)
    return geo, render(atlas.tree)
