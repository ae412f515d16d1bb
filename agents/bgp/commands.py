"""What we say to ExaBGP: one line per command, and each gets exactly one ``done`` or ``error``.

Lines that begin with ``#`` are for the bridge, and get no answer (:mod:`agents.bgp.bridge`).

The neighbor comes first wherever a command changes anything. ``attributes ... nlri`` is the one
form that takes several prefixes. AS_PATH is always given, whole: ExaBGP sends what it is given,
and what was written without it would read back without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from agents.advertising.guard import Guard
from agents.bgp.difference import Advertise, Change, Withdraw
from agents.bgp.neighbors import Neighbor
from agents.bgp.paths import Path, spell
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import family

# Answers to commands are a setting of the helper, and a predecessor may have turned them off.
ENABLE_ANSWERS = "enable-ack"
SHOW_SESSIONS = "show neighbor json"
SHOW_RIB = "show adj-rib out json"

HELLO = "#hello"
GREETING = b"#bridge "
RESTART = "#restart"
CLOSE = "#close"


def command(change: Change) -> str:
    """The line that makes ``change``."""
    nlri = " ".join(change.prefixes)
    match change:
        case Advertise(neighbor, path):
            return f"neighbor {neighbor} announce attributes {_attributes(path)} nlri {nlri}"
        case Withdraw(neighbor):
            return f"neighbor {neighbor} withdraw attributes next-hop self nlri {nlri}"


def send_again(neighbor: str) -> str:
    """Has one session's whole adj-rib-out sent (and echoed) again; nothing changes by it."""
    return f"neighbor {neighbor} flush adj-rib out"


def end_of_rib(neighbor: str, family: Family) -> str:
    """Tells the neighbor that this was all (RFC 4724 section 2)."""
    return f"neighbor {neighbor} announce eor ip{family} unicast"


def heartbeat(guard: Guard, sessions: Iterable[Neighbor]) -> str:
    """The bridge's line for ``guard``, newline included."""
    every = tuple(sessions)
    groups = [
        {"checks": each.checks, "withdraw": list(_withdrawals(each.prefixes, every))}
        for each in guard.groups
    ]
    text = msgspec.json.encode({"after": guard.after, "groups": groups}).decode()
    return f"#heartbeat {text}\n"


def _withdrawals(prefixes: tuple[str, ...], sessions: Iterable[Neighbor]) -> Iterator[str]:
    """On every session of the family: to withdraw what is not there changes nothing."""
    for session in sessions:
        if some := tuple(each for each in prefixes if family(each) is session.family):
            yield command(Withdraw(session.address, some))


def _attributes(path: Path) -> str:
    parts = ["next-hop self", f"as-path [ {' '.join(map(str, path.as_path))} ]"]
    if path.med is not None:
        parts.append(f"med {path.med}")
    for name, values in (
        ("community", path.communities),
        ("large-community", path.large_communities),
    ):
        if values:
            parts.append(f"{name} [ {' '.join(map(spell, values))} ]")
    return " ".join(parts)
