"""What was refused, by whom, and why: nobody may drop in silence what makes no sense to them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from lab.judging.rows import Row
from lab.scenarios.shapes import RefusedExpectation

COUNTED = "counted"


class Refusal(msgspec.Struct, frozen=True):
    """One refusal; `who` is a host, or `controller`, and `why` what they said to it.

    A refusal that was only counted, and not named, says `COUNTED`.
    """

    t_ns: int
    who: str
    why: str


def refused(
    wanted: RefusedExpectation, found: Sequence[Refusal], since_ns: int, scope: str
) -> Row:
    """How often everybody who is meant refused for the reason that is meant: the least of them."""
    counts = dict.fromkeys(wanted.who, 0)
    others: dict[str, None] = {}
    for each in found:
        if each.t_ns < since_ns or each.who not in counts:
            continue
        if wanted.because in each.why:
            counts[each.who] += 1
        else:
            others[f"{each.who}: {each.why[:120]}"] = None
    least = min(counts, key=lambda who: counts[who])
    ok = counts[least] >= wanted.at_least
    told = f"{least} said instead: {'; '.join(list(others)[:3]) or 'nothing'}"
    return Row(
        text=f"refused by {', '.join(wanted.who)} because {wanted.because}{scope}",
        measured=counts[least],
        bound=f">= {wanted.at_least}",
        ok=ok,
        unit="",
        why="" if ok else told,
    )
