"""Longest-prefix match as a binary tree without holes, shared by IPv4 and IPv6.

A node is a pair of branches, a leaf the name of a group. The tree is 128 bits deep; IPv4 lies at
``::/96``. Every address reaches a leaf, and the leaf's depth is the ECS scope of the answer (RFC
7871 section 7.2.1): the widest prefix around the client in which everybody gets the same answer.
Where a prefix lies inside another, the outer one is cut into the parts that remain. Hence scopes
are never too short, and a resolver never reuses an answer for somebody else's client.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from ambicast.model.identifiers import Family
from ambicast.model.prefixes import Address, Network, address, family, network

_BITS = 128
V4_DEPTH = 96

# A branch is a leaf (group name) or a node: a list of exactly two branches.
Branch: TypeAlias = "str | list[Branch]"


class Match(msgspec.Struct, frozen=True):
    """The group of an address, and the length of the prefix that shares its answer."""

    group: str
    scope: int


def grow(groups: Mapping[str, str], default: str) -> Branch:
    """The tree of ``prefix -> group``; everything not listed belongs to ``default``.

    IPv6 prefixes that cover ``::/96`` say nothing about IPv4: those are two families.
    """
    root: Branch = [default, default]
    v4 = {prefix: group for prefix, group in groups.items() if family(prefix) is Family.V4}
    v6 = {prefix: group for prefix, group in groups.items() if family(prefix) is Family.V6}
    everything_v4 = {"0.0.0.0/0": default}
    for part in (v6, everything_v4, v4):
        for prefix in sorted(part, key=_by_length):
            root = _plant(root, _key(network(prefix)), _depth(network(prefix)), part[prefix])
    return root


def look_up(tree: Branch, text: str) -> Match:
    """Who answers ``text`` (an address, or a prefix: then its first address), and how far."""
    first = network(text).network_address if "/" in text else address(text)
    key, depth = _key(first), 0
    while isinstance(tree, list):
        tree = tree[key >> (_BITS - 1 - depth) & 1]
        depth += 1
    return Match(tree, max(depth - V4_DEPTH, 0) if first.version == 4 else depth)


def first_leaf(tree: Branch, kind: Family, group: str) -> str | None:
    """The widest prefix of one family whose clients all belong to ``group``, or none."""
    start = (0, 0, tree)
    if kind is Family.V4:
        for _ in range(V4_DEPTH):
            if isinstance(tree, list):
                tree = tree[0]
        start = (0, V4_DEPTH, tree)
    pending = deque([start])
    while pending:
        key, depth, branch = pending.popleft()
        if isinstance(branch, list):
            if kind is Family.V4 or key or depth + 1 < V4_DEPTH:
                pending.append((key, depth + 1, branch[0]))
            pending.append((key | 1 << (_BITS - 1 - depth), depth + 1, branch[1]))
        elif branch == group:
            return _prefix(kind, key, depth)
    return None


def _plant(root: Branch, key: int, depth: int, group: str) -> Branch:
    if depth == 0:
        return group
    if not isinstance(root, list):
        root = [root, root]
    node = root
    for level in range(depth - 1):
        bit = key >> (_BITS - 1 - level) & 1
        below = node[bit]
        if not isinstance(below, list):
            below = [below, below]
            node[bit] = below
        node = below
    node[key >> (_BITS - depth) & 1] = group
    return root


def _by_length(prefix: str) -> tuple[int, str]:
    return network(prefix).prefixlen, prefix


def _key(place: Network | Address) -> int:
    first = place.network_address if isinstance(place, Network) else place
    return int(first)


def _depth(place: Network) -> int:
    return place.prefixlen + (V4_DEPTH if place.version == 4 else 0)


def _prefix(kind: Family, key: int, depth: int) -> str:
    text = str(address("::" if kind is Family.V6 else "0.0.0.0") + key)  # noqa: S104 - no socket
    return f"{text}/{depth - (V4_DEPTH if kind is Family.V4 else 0)}"
