"""What the rest of the agent is told of the watch, in the words of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agents.watch.sighting import Judgement, Pulse
from agents.watch.targets import Exit, Path
from ambicast.contract.messages import Sighting
from ambicast.model.identifiers import Family


class Teller:
    """Puts judgements into words; a path that did not turn keeps the words it had.

    ``wall`` is what has to be added to the loop's clock to get seconds since the Unix epoch;
    ``uplinks`` are the own ones.
    """

    def __init__(self, uplinks: Iterable[str], wall: float) -> None:
        self._uplinks = sorted(uplinks)
        self._wall = wall
        self._said: dict[Path, tuple[bool | None, float, Sighting]] = {}

    def seen(self, judgement: Judgement) -> tuple[Sighting, ...]:
        """Every path judged so far."""
        return tuple(self._sighting(path, pulse) for path, pulse in judgement.paths.items())

    def working(self, judgement: Judgement) -> Mapping[str, Mapping[Family, bool]]:
        """Own uplink -> family -> whether probes through it come back.

        One without anybody to ask has no family.
        """
        working: dict[str, dict[Family, bool]] = {name: {} for name in self._uplinks}
        for way_out, pulse in judgement.exits.items():
            working[way_out.uplink][way_out.family] = bool(pulse.up)
        return working

    def _sighting(self, path: Path, pulse: Pulse) -> Sighting:
        said = self._said.get(path)
        if said is not None and said[0] is pulse.up and said[1] == pulse.since:
            return said[2]
        sighting = Sighting(
            pop=path.pop,
            host=path.host,
            uplink=path.uplink,
            family=path.family,
            up=bool(pulse.up),
            since=round(self._wall + pulse.since, 3),
        )
        self._said[path] = (pulse.up, pulse.since, sighting)
        return sighting


def exits_that_work(judgement: Judgement) -> frozenset[Exit]:
    """Those through which probes come back."""
    return frozenset(way_out for way_out, pulse in judgement.exits.items() if pulse.up)
