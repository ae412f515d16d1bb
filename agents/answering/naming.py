"""How the names in our zone are spelled.

``www.cdn.example`` is what people ask for. Knot's geo module answers it with a CNAME to
``<group>.<service>.g.cdn.example``, whose A and AAAA records are that group's answer. A wildcard
beside the groups gives every group without records of its own the default answer, so that no
order of events can make the service name lead nowhere.

All owners are absolute and lower case, as the server prints them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ALLOWED = "1 to 63 of a-z, 0-9, - and _, not starting or ending with -"
_LONGEST = 253

# Labels below the zone that are ours; no service name may lie under them.
_GROUPS = "g"
_NAMESERVERS = "ns"
RESERVED = (_GROUPS, _NAMESERVERS, "_generation", "_map")


def absolute(name: str) -> str:
    """``name`` in lower case and with its final dot."""
    return name.lower().rstrip(".") + "."


def group_owner(zone: str, service: str, group: str) -> str:
    """Where the addresses of one group of one service are."""
    return absolute(f"{group}.{service}.{_GROUPS}.{zone}")


def wildcard_owner(zone: str, service: str) -> str:
    """Where the addresses of every group without records of its own are."""
    return group_owner(zone, service, "*")


def generation_owner(zone: str) -> str:
    """Where the zone says which steering and map it holds."""
    return absolute(f"_generation.{zone}")


def sentinel_owner(zone: str) -> str:
    """What only the geo module answers, and only to the sentinel prefix."""
    return absolute(f"_map.{zone}")


def nameserver_owner(zone: str, nameserver: str) -> str:
    """The host name of a nameserver, in the zone it serves."""
    return absolute(f"{nameserver}.{_NAMESERVERS}.{zone}")


def is_group_owner(zone: str, owner: str) -> bool:
    """Whether ``owner`` holds (or could hold) a group's addresses."""
    return owner.endswith(absolute(f".{_GROUPS}.{zone}"))


def label_offence(kind: str, name: str) -> str | None:
    """Why ``name`` cannot be a DNS label, or none."""
    if _LABEL.fullmatch(name):
        return None
    return f"{kind} {name!r} cannot be a DNS label: {_ALLOWED}"


def name_offences(zone: str, names: Iterable[str]) -> list[str]:
    """Why service names cannot be answered in ``zone``; one sentence per name."""
    found = []
    for name in names:
        reason = _name_offence(absolute(zone), absolute(name))
        if reason:
            found.append(f"name {name!r} {reason}")
    return found


def _name_offence(zone: str, name: str) -> str | None:
    if name == zone:
        return "is the zone itself, which can hold no CNAME: use a name below it"
    if not name.endswith("." + zone):
        return f"lies outside the zone {zone}"
    labels = name.removesuffix("." + zone).split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        return f"has a label that is not {_ALLOWED}"
    if len(name) > _LONGEST:
        return f"is {len(name)} characters long; at most {_LONGEST} are allowed"
    if labels[-1] in RESERVED:
        return f"lies under {labels[-1]}.{zone}, which is kept for steering"
    return None
