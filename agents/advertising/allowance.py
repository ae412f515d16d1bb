"""The local allow-list: what this PoP may ever advertise, whoever asks.

It stands in the agent's own settings and not in the fleet file, so that a controller gone wrong
(or somebody who can publish to the broker) cannot make a PoP originate other people's prefixes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ambicast.model.prefixes import ROUTABLE_FLOOR, contains, family, length


class Allowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry: everything inside ``prefix`` up to the prefix length ``longest``."""

    prefix: str
    longest: int

    def __str__(self) -> str:
        return f"{self.prefix} up to /{self.longest}"

    def permits(self, prefix: str) -> bool:
        """Whether this entry lets ``prefix`` be advertised; never beyond the routable floor."""
        longest = min(self.longest, ROUTABLE_FLOOR[family(prefix)])
        return contains(self.prefix, prefix) and length(prefix) <= longest


def permitted(allow: Sequence[Allowance], prefix: str) -> bool:
    """Whether any entry permits ``prefix`` (canonical text)."""
    return any(entry.permits(prefix) for entry in allow)


def covered(allow: Sequence[Allowance], address: str) -> bool:
    """Whether ``address`` lies in a prefix this PoP may advertise, so that it may terminate it."""
    return any(contains(entry.prefix, address) for entry in allow)


def spelled(allow: Sequence[Allowance]) -> str:
    """The list for people, as it stands in a refusal."""
    return ", ".join(map(str, allow)) or "nothing"
