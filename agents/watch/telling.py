"""What the rest of the agent is told of the watch, in the words of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agents.advertising.observations import Watched
from agents.watch.sighting import Judgement
from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family


def told(
    judgement: Judgement,
    witnesses: Mapping[str, tuple[str, ...]],
    uplinks: Iterable[str],
    wall: float,
) -> Watched:
    """The judgement as an observation.

    Args:
        judgement: of every path and exit judged so far, in seconds of the loop's clock.
        witnesses: observed prefix -> PoPs that answered lately.
        uplinks: the own ones; one without anybody to ask has no family in ``working``.
        wall: seconds to add to the loop's clock to get those since the Unix epoch.
    """
    seen = tuple(
        Sighting(
            pop=path.pop,
            uplink=path.uplink,
            family=path.family,
            up=bool(pulse.up),
            since=round(wall + pulse.since, 3),
        )
        for path, pulse in judgement.paths.items()
    )
    working: dict[str, dict[Family, bool]] = {name: {} for name in sorted(uplinks)}
    for way_out, pulse in judgement.exits.items():
        working[way_out.uplink][way_out.family] = bool(pulse.up)
    return Watched(seen, dict(witnesses), working, judgement.paused)
